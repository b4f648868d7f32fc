#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "teacher/dispatcher.hpp"
#include "teacher/foreign_text.hpp"

/// The part of Dispatcher that decides what follows from an attempt.
namespace evd::teacher {
namespace {

using Next = Ending::Next;

constexpr std::size_t kMessageBytes = 400;
constexpr std::size_t kRequestIdBytes = 200;

shard::Outcome outcome_of(Next next) {
  switch (next) {
    case Next::answered:
      return shard::Outcome::ok;
    case Next::refused:
      return shard::Outcome::refused;
    case Next::failed:
      return shard::Outcome::failed;
    default:
      return shard::Outcome::open;
  }
}

bool may_be_charged(Charge charge) {
  return charge == Charge::unusable || charge == Charge::no_answer;
}

}  // namespace

void Dispatcher::on_examined(Examined examined) {
  const auto& [errand, ending, response] = examined;
  if (!std::exchange(errand->in_flight, false)) return;  // given up with the journal
  Account& account = this->account(*errand);
  examined.ending.message =
      foreign_text(account.secret().redact(std::move(examined.ending.message)), kMessageBytes);
  --account.outstanding;
  const std::int64_t cost = ending.charge == Charge::paid ? account.price_microusd() : 0;
  permits_.done(errand->service, errand->reserved_microusd,
                may_be_charged(ending.charge) ? errand->reserved_microusd : cost,
                ending.next == Next::throttled);
  const bool counts = note_health(account, ending);
  warn_once(account, ending);
  const End end{.key = errand->call.key,
                .attempt = errand->attempt,
                .status = response.status,
                .outcome = outcome_of(ending.next),
                .reason = ending.reason,
                .charge = ending.charge,
                .cost_microusd = cost,
                .finished_ms = utc_ms(),
                .bytes_sent = static_cast<std::int64_t>(response.bytes_sent),
                .bytes_received = static_cast<std::int64_t>(response.bytes_received)};
  if (end.outcome == shard::Outcome::open) {
    go_on(errand, ending, end, counts);
    return;
  }
  Content& content = examined.ending.content;
  conclude(errand, end,
           {.payload = std::move(content.payload),
            .model_echo = std::move(content.model_echo),
            .request_id = foreign_text(response.request_id, kRequestIdBytes),
            .revised_prompt = std::move(content.revised_prompt),
            .logprobs_json = std::move(content.logprobs_json)});
}

bool Dispatcher::note_health(Account& account, const Ending& ending) {
  const double now_s = monotonic_s();
  const auto pause = [&] {
    account.health.pause(now_s, ending.hint.seconds);
    if (ending.hint.seconds > setup_.service_patience_s)
      account.health.stop("it asks to wait " + human_duration(ending.hint.seconds));
  };
  switch (ending.next) {
    case Next::retry: {
      const bool counts = account.health.bad(
          now_s, ending.reason + (ending.message.empty() ? "" : ": ") + ending.message);
      if (ending.hint.seconds > 0) pause();
      return counts && !account.health.down(now_s);
    }
    case Next::throttled:
      pause();
      return false;
    case Next::give_up:
      account.health.stop(ending.reason + ": " + ending.message);
      return false;
    default:
      account.health.good();
      return true;
  }
}

// The attempt gave nothing final: again later, or enough.
void Dispatcher::go_on(const Held& errand, const Ending& ending, End end, bool counts) {
  const bool unsent = ending.next == Next::retry && ending.reason == "not_sent";
  const bool again = ending.next == Next::retry && counts && !unsent;
  if (ending.charge == Charge::no_answer) ++errand->no_answer;
  if (again) {
    ++errand->failures;
    errand->same_failures = errand->last_reason == ending.reason ? errand->same_failures + 1 : 1;
    errand->last_reason = ending.reason;
  }
  const bool ambiguous = errand->no_answer >= kMaxNoAnswer;
  const bool enough = errand->failures >= account(*errand).options().max_attempts ||
                      (ending.most > 0 && errand->same_failures >= ending.most);
  if (ending.next == Next::retry && (ambiguous || (again && enough))) {
    end.outcome = shard::Outcome::failed;
    if (ambiguous) end.reason = "ambiguous";
    conclude(errand, end, {});
    return;
  }
  wait(errand, ending, end);
}

void Dispatcher::wait(const Held& errand, const Ending& ending, const End& end) {
  calls_.push_back(call_row(intent_of(*errand), end));
  // The next attempt's intent lies behind it in the same file, so nobody needs to wait for it.
  write(*errand, encode(end), Role::end, {.lost = [this] { ++journal_failure_.lost; }});
  if (ending.next == Next::give_up) {
    reply_open(errand, "service_down");
    return;
  }
  const double pause_s =
      backoff_s(errand->pauses++, ending.hint,
                Random(setup_.seed, Purpose::backoff, errand->call.key.low64(), errand->sent));
  account(*errand).waiting.emplace(monotonic_s() + pause_s, errand);
}

void Dispatcher::conclude(const Held& errand, const End& end, Reply reply) {
  End final_end = end;
  if (end.attempt < 0) {
    final_end.outcome = reply.outcome;
    final_end.reason = reply.reason;
  } else {
    calls_.push_back(call_row(intent_of(*errand), end));
  }
  reply.key = errand->call.key;
  reply.outcome = final_end.outcome;
  reply.status = final_end.status;
  reply.reason = final_end.reason;
  reply.cost_microusd = final_end.cost_microusd;
  reply.asked_ms = errand->asked_ms;
  reply.answered_ms = final_end.finished_ms;
  reply.attempts = errand->sent;
  const std::string record = encode(final_end, reply);
  const bool was_sent = end.attempt >= 0;
  write(*errand, record, was_sent ? Role::end : Role::note,
        {.durable =
             [this, errand, held = std::make_shared<Reply>(std::move(reply))] {
               deliver(errand, std::move(*held));
             },
         .lost =
             [this, errand, was_sent] {
               journal_failure_.lost += was_sent ? 1 : 0;
               reply_open(errand, "journal");
             }});
}

void Dispatcher::warn_once(const Account& account, const Ending& ending) {
  if (ending.next == Next::answered || ending.next == Next::refused) return;
  if (!warned_.insert({account.options().name, ending.reason}).second) return;
  log_.warning(account.options().name + ": " + ending.reason +
               (ending.message.empty() ? "" : " (" + ending.message + ")") +
               "; further ones are only counted");
}

}  // namespace evd::teacher
