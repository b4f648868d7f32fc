#include "teacher/dispatcher.hpp"

#include <algorithm>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::teacher {
namespace {

constexpr int kMaxWait_ms = 5;
constexpr std::uint64_t kPictureBytes = 4U << 20;  // a PNG of a million pixels, and some

int worker_threads() {
  return static_cast<int>(std::clamp(std::thread::hardware_concurrency(), 1U, 4U));
}

Secret secret_of(const Caller::Setup& setup, const ServiceOptions& service) {
  const auto ready = setup.ready_keys.find(service.name);
  if (ready != setup.ready_keys.end()) return Secret(ready->second, "the key of " + service.name);
  return read_secret(service);
}

Reply open_reply(const Errand& errand, const std::string& reason) {
  return {.key = errand.call.key,
          .outcome = shard::Outcome::open,
          .reason = reason,
          .asked_ms = errand.asked_ms,
          .attempts = errand.sent};
}

}  // namespace

Dispatcher::Dispatcher(const Caller::Setup& setup, Permits& permits, const Log& log)
    : setup_(setup),
      permits_(permits),
      log_(log),
      journals_(setup.journals != nullptr
                    ? setup.journals
                    : std::make_shared<const Journals>(setup.journal_directory)),
      workers_(worker_threads()),
      writer_(setup.journal_directory, setup.job, setup.rank, [this] { loop_.wake(); }) {
  for (const auto& service : setup.services) {
    auto& account = accounts_[service.name];
    if (account == nullptr)
      account = std::make_unique<Account>(service, secret_of(setup, service),
                                          setup.service_patience_s, log);
    by_service_.push_back(account.get());
  }
}

void Dispatcher::submit(int service, Call call, std::function<void(Reply)> replied) {
  if (const auto same = active_.find(call.key); same != active_.end()) {
    same->second->replied.push_back(std::move(replied));
    return;
  }
  auto errand = std::make_shared<Errand>();
  errand->service = service;
  if (const Recorded* recorded = journals_->find(call.key)) {
    if (reply_from_record(*recorded, call, replied)) return;
    errand->sent = recorded->intents;
    // What the sender's own death cut short says nothing of the service: each such intent is asked
    // again, and what bounds them all is the budget, which counts each of them as charged.
    errand->no_answer =
        recorded->no_answer - recorded->cut_short + recorded->lost + (recorded->has_reply ? 1 : 0);
    errand->failures = recorded->intents - recorded->closed_intents - recorded->no_answer;
    if (call.recall == Recall::unless_failed) {
      // Somebody asks for one more try, knowing what it may cost.
      errand->no_answer = std::min(errand->no_answer, kMaxNoAnswer - 1);
      errand->failures = 0;
    }
  }
  errand->call = std::move(call);
  errand->replied.push_back(std::move(replied));
  Account& account = this->account(*errand);
  if (account.errands++ == 0) account.health.renew();
  active_.emplace(errand->call.key, errand);
  const bool too_often = errand->failures >= account.options().max_attempts;
  if (errand->no_answer < kMaxNoAnswer && !too_often) {
    account.ready.push_back(errand);
    return;
  }
  Reply reply = open_reply(*errand, too_often ? "unusable" : "ambiguous");
  reply.outcome = shard::Outcome::failed;
  conclude(errand, {.key = errand->call.key, .finished_ms = utc_ms()}, std::move(reply));
}

bool Dispatcher::reply_from_record(const Recorded& recorded, const Call& call,
                                   std::function<void(Reply)>& replied) {
  if (!recorded.has_reply || recorded.settled) return false;
  if (recorded.outcome == shard::Outcome::failed && call.recall == Recall::unless_failed)
    return false;
  try {
    auto reply = std::make_shared<Reply>(journals_->reply(call.key).value());
    replies_.push_back([reply, done = std::move(replied)] { done(std::move(*reply)); });
    return true;
  } catch (const DataError& error) {
    log_.warning(std::string(error.what()) + " (asked for again, counted as possibly charged)");
    return false;
  }
}

void Dispatcher::step(int wait_ms) {
  pump();
  loop_.step(replies_.empty() ? std::clamp(wait_ms, 0, kMaxWait_ms) : 0);
  pump();
  // Only those that are here now: a callback may submit what is replied from the record at once.
  for (std::size_t left = replies_.size(); left > 0; --left) {
    const auto reply = std::move(replies_.front());
    replies_.pop_front();
    reply();
  }
}

void Dispatcher::pump() {
  std::vector<Examined> examined;
  {
    const std::lock_guard lock(examined_mutex_);
    examined.swap(examined_);
  }
  for (auto& one : examined) on_examined(std::move(one));
  follow_journal();
  for (const auto& [name, account] : accounts_) sweep(*account);
}

void Dispatcher::follow_journal() {
  const auto progress = writer_.progress();
  while (!not_durable_.empty() && not_durable_.front().number <= progress.through) {
    const auto next = std::move(not_durable_.front());
    not_durable_.pop_front();
    const bool refused = next.role == Role::intent && next.number > progress.refused_after;
    const auto& then = refused ? next.written.lost : next.written.durable;
    if (then) then();
  }
  if (progress.trouble.empty()) return;
  stopping_ = true;
  journal_failure_.what = progress.trouble;
  if (progress.broken && !std::exchange(journal_broken_, true)) give_up_journal();
}

// Nothing can be recorded any more, so nothing that comes counts: nobody waits for it.
void Dispatcher::give_up_journal() {
  const auto queued = std::exchange(not_durable_, {});
  for (const auto& one : queued)
    if (one.written.lost) one.written.lost();
  std::vector<Held> in_flight;
  for (const auto& [key, errand] : active_)
    if (errand->in_flight) in_flight.push_back(errand);
  for (const auto& errand : in_flight) {
    ++journal_failure_.lost;
    errand->in_flight = false;
    Account& account = this->account(*errand);
    --account.outstanding;
    account.health.abandon();
    permits_.done(errand->service, errand->reserved_microusd, errand->reserved_microusd, false);
    reply_open(errand, "journal");
  }
}

void Dispatcher::sweep(Account& account) {
  const double now_s = monotonic_s();
  if (account.ready.empty() && account.waiting.empty()) return;
  // Also those in a back-off: a service may ask for a day, and nobody waits that long for one that
  // is given up.
  const bool enough = stopping_ || account.health.down(now_s);
  while (!account.waiting.empty() && (enough || account.waiting.begin()->first <= now_s)) {
    account.ready.push_front(std::move(account.waiting.begin()->second));
    account.waiting.erase(account.waiting.begin());
  }
  if (enough) {
    const auto given_up = std::exchange(account.ready, {});
    for (const auto& errand : given_up) reply_open(errand, stopping_ ? "stopped" : "service_down");
    return;
  }
  while (!account.ready.empty() && account.outstanding < account.options().max_in_flight &&
         account.health.ready(now_s))
    ask_permit(account);
}

void Dispatcher::ask_permit(Account& account) {
  const Held errand = std::move(account.ready.front());
  account.ready.pop_front();
  account.health.begin();
  ++account.outstanding;
  errand->reserved_microusd = std::max(errand->call.max_cost_microusd, account.price_microusd());
  permits_.ask(errand->service, errand->reserved_microusd,
               [this, errand, alive = std::weak_ptr<int>(alive_)](bool granted) {
                 if (!alive.expired()) on_permit(errand, granted);
               });
}

void Dispatcher::on_permit(const Held& errand, bool granted) {
  Account& account = this->account(*errand);
  if (!granted) {
    --account.outstanding;
    account.health.abandon();
    reply_open(errand, "budget");
    return;
  }
  const double now_s = monotonic_s();
  if (stopping_ || account.health.down(now_s)) {
    release_unsent(errand);
    account.ready.push_front(errand);  // swept at once
    return;
  }
  announce(errand);
}

void Dispatcher::release_unsent(const Held& errand) {
  Account& account = this->account(*errand);
  --account.outstanding;
  account.health.abandon();
  permits_.done(errand->service, errand->reserved_microusd, 0, false);
}

Intent Dispatcher::intent_of(const Errand& errand) const {
  return {.key = errand.call.key,
          .service = by_service_.at(errand.service)->options().name,
          .stage = setup_.stage,
          .round = setup_.round,
          .attempt = errand.attempt,
          .rank = setup_.rank,
          .job = setup_.job,
          .budget_line = errand.call.budget_line,
          .max_cost_microusd = errand.reserved_microusd,
          .started_ms = errand.attempt_ms};
}

void Dispatcher::announce(const Held& errand) {
  errand->attempt = errand->sent++;
  errand->attempt_ms = utc_ms();
  if (errand->asked_ms == 0) errand->asked_ms = errand->attempt_ms;
  auto body = std::make_shared<std::string>(errand->call.body());
  write(*errand, encode(intent_of(*errand)), Role::intent,
        {.durable = [this, errand, body] { send(errand, std::move(*body)); },
         .lost =
             [this, errand] {
               release_unsent(errand);
               reply_open(errand, "journal");
             }});
}

void Dispatcher::send(const Held& errand, std::string body) {
  if (stopping_) {
    const End end{.key = errand->call.key,
                  .attempt = errand->attempt,
                  .reason = "stopped",
                  .finished_ms = utc_ms()};
    calls_.push_back(call_row(intent_of(*errand), end));
    write(*errand, encode(end), Role::end, {});
    release_unsent(errand);
    reply_open(errand, "stopped");
    return;
  }
  errand->in_flight = true;
  loop_.post(account(*errand).request(std::move(body)),
             [this, errand](http::Response response) { on_response(errand, std::move(response)); });
}

void Dispatcher::on_response(const Held& errand, http::Response response) {
  const Wire wire = account(*errand).options().wire;
  const double now_unix_s = static_cast<double>(utc_ms()) / 1000;
  const bool has_picture =
      wire == Wire::openai_images && response.fault == http::Fault::none && response.status == 200;
  if (!has_picture) {
    Ending ending = examine(wire, response, now_unix_s);
    on_examined({errand, std::move(ending), std::move(response)});
    return;
  }
  auto moved = std::make_shared<http::Response>(std::move(response));
  workers_.run([this, errand, wire, moved, now_unix_s] {
    Ending ending = examine(wire, *moved, now_unix_s);
    moved->body = {};
    {
      const std::lock_guard lock(examined_mutex_);
      examined_.push_back({errand, std::move(ending), std::move(*moved)});
    }
    loop_.wake();
  });
}

void Dispatcher::write(const Errand& errand, const std::string& record, Role role,
                       Written written) {
  if (journal_broken_) {
    if (written.lost) written.lost();
    return;
  }
  const auto& options = by_service_.at(errand.service)->options();
  const std::uint64_t answer_bytes = options.wire == Wire::openai_images ? kPictureBytes : 0;
  const auto number = writer_.append(options.name, record, role, answer_bytes);
  if (written.durable || written.lost) not_durable_.push_back({number, role, std::move(written)});
}

void Dispatcher::reply_open(const Held& errand, const std::string& reason) {
  deliver(errand, open_reply(*errand, reason));
}

void Dispatcher::deliver(const Held& errand, Reply reply) {
  active_.erase(errand->call.key);
  --account(*errand).errands;
  replies_.push_back([errand, reply = std::make_shared<Reply>(std::move(reply))] {
    for (std::size_t i = 1; i < errand->replied.size(); ++i) errand->replied[i](*reply);
    errand->replied.front()(std::move(*reply));
  });
}

void Dispatcher::stop() { stopping_ = true; }

std::size_t Dispatcher::held() const {
  const double now_s = monotonic_s();
  std::size_t count = 0;
  for (const auto& [name, account] : accounts_)
    if (account->health.open() || !account->health.ready(now_s))
      count += static_cast<std::size_t>(account->errands);
  return count;
}

std::string Dispatcher::trouble() const {
  std::vector<std::string> lines;
  const double now_s = monotonic_s();
  for (const auto& [name, account] : accounts_)
    if (account->errands > 0 && account->health.open() && !account->health.down(now_s))
      lines.push_back(name + " does not answer (" + account->health.why() + ")");
  return join(lines, ", ");
}

std::vector<std::string> Dispatcher::services_down() const {
  std::vector<std::string> lines;
  const double now_s = monotonic_s();
  for (const auto& [name, account] : accounts_)
    if (account->health.down(now_s)) lines.push_back(name + ": " + account->health.why());
  return lines;
}

}  // namespace evd::teacher
