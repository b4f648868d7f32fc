#include "judge/interview.hpp"

#include <algorithm>
#include <cmath>
#include <exception>
#include <mutex>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "judge/load.hpp"
#include "run/drain.hpp"
#include "run/handout.hpp"
#include "run/journal_failure.hpp"
#include "teacher/caller.hpp"
#include "teacher/workers.hpp"

namespace evd::judge {
namespace {

constexpr int kVlm = 0;  // the only service of these stages
constexpr std::size_t kCacheBytes = 64U << 20U;

// Lines of all ranks, each once, on all ranks.
std::vector<std::string> all_lines(const mpi::Communicator& world,
                                   const std::vector<std::string>& own) {
  const std::string text = join(own, "\n");
  std::vector<std::string> lines;
  for (const auto& bytes : world.gather(as_bytes(text), 0)) {
    const std::string_view part(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    for (auto& line : split(part, '\n'))
      if (!line.empty()) lines.push_back(std::move(line));
  }
  std::sort(lines.begin(), lines.end());
  lines.erase(std::unique(lines.begin(), lines.end()), lines.end());
  const std::string all = world.broadcast(join(lines, "\n"), 0);
  return all.empty() ? std::vector<std::string>{} : split(all, '\n');
}

class EventLoop {
 public:
  EventLoop(run::Context& context, const Rules& rules, const Needs& needs, AnswerBook& book,
            PictureCache& pictures, const run::EmbeddedServices& services, teacher::Caller& caller,
            run::Handout& handout, int depth)
      : context_(context),
        rules_(rules),
        needs_(needs),
        book_(book),
        pictures_(pictures),
        services_(services),
        caller_(caller),
        handout_(handout),
        drain_(handout, caller, context.log),
        lookup_(book.lookup()),
        depth_(static_cast<std::size_t>(depth)) {}

  void run() {
    // Rank 0 answers the others from this loop, so it does not wait long for its own sockets.
    const int wait_ms = context_.world.size() == 1 ? 5 : 1;
    while (!handout_.complete() && !drain_.over()) {
      if (context_.stop || !caller_.journal_failure().what.empty()) handout_.stop();
      services_.check();
      submit_prepared();
      while (!stopped() && caller_.pending() + preparing_ < depth_) {
        const auto item = handout_.next();
        if (item < 0) break;
        go_on(item);
      }
      handout_.step();
      caller_.step(wait_ms);
      if (context_.world.rank() == 0) context_.progress.update(handout_.finished_count(), note());
    }
  }

  // A service that stays away is told while it is waited for, not only when it is given up.
  [[nodiscard]] std::string note() const {
    const std::string paid = human_usd(handout_.paid_microusd());
    const std::string trouble = caller_.trouble();
    return trouble.empty() ? paid : paid + ", " + trouble;
  }

  [[nodiscard]] bool stopped() const { return drain_.begun(); }
  [[nodiscard]] bool budget_spent() const { return budget_spent_; }

 private:
  struct Underway {
    std::size_t outstanding = 0;
    std::vector<RequestKey> keys;  // answers to drop from memory when the item is through
  };
  struct Prepared {
    std::int64_t item = 0;
    std::shared_ptr<const Ask> ask;
    std::shared_ptr<const std::string> body;
    std::exception_ptr failure;
  };

  void go_on(std::int64_t item) {
    auto missing = needs_(item, lookup_);
    if (missing.empty()) return finish(item);
    auto& underway = underway_[item];
    underway.outstanding = missing.size();
    for (auto& ask : missing) {
      underway.keys.push_back(ask.key);
      send(item, std::make_shared<Ask>(std::move(ask)));
    }
  }

  // Pictures are decoded, resized and encoded by worker threads: this one serves permits.
  void send(std::int64_t item, const std::shared_ptr<const Ask>& ask) {
    ++preparing_;
    workers_.run([this, item, ask] {
      Prepared one{.item = item, .ask = ask};
      try {
        one.body = std::make_shared<const std::string>(body_of(*ask));
      } catch (...) {
        one.failure = std::current_exception();
      }
      const std::lock_guard lock(mutex_);
      prepared_.push_back(std::move(one));
    });
  }

  void submit_prepared() {
    std::vector<Prepared> ready;
    {
      const std::lock_guard lock(mutex_);
      ready.swap(prepared_);
    }
    for (auto& one : ready) {
      --preparing_;
      if (one.failure) std::rethrow_exception(one.failure);
      submit(one);
    }
  }

  void submit(const Prepared& one) {
    const auto& [item, ask, body, failure] = one;
    teacher::Call call{.key = ask->key, .body = [body = body] { return *body; }};
    call.max_cost_microusd =
        static_cast<std::int64_t>(std::llround(context_.config.vlm.price_usd * 1e6));
    if (context_.rerun == run::Rerun::failed) call.recall = teacher::Recall::unless_failed;
    caller_.submit(kVlm, std::move(call),
                   [this, item = item, ask = ask](const teacher::Reply& reply) {
                     budget_spent_ = budget_spent_ || reply.reason == "budget";
                     book_.put(*ask, reply);
                     if (--underway_.at(item).outstanding == 0) go_on(item);
                   });
  }

  std::string body_of(const Ask& ask) {
    std::vector<std::string> urls;
    for (const auto* picture : {ask.first, ask.second})
      if (picture != nullptr) urls.push_back(*pictures_.data_url(*picture, ask.shown));
    return vlm::body(ask.question, rules_.model, urls);
  }

  void finish(std::int64_t item) {
    if (const auto underway = underway_.find(item); underway != underway_.end()) {
      for (const auto& key : underway->second.keys) book_.forget(key);
      underway_.erase(underway);
    }
    handout_.finished(item);
  }

  run::Context& context_;
  const Rules& rules_;
  const Needs& needs_;
  AnswerBook& book_;
  PictureCache& pictures_;
  const run::EmbeddedServices& services_;
  teacher::Caller& caller_;
  run::Handout& handout_;
  run::Drain drain_;
  Lookup lookup_;
  std::size_t depth_;
  bool budget_spent_ = false;
  std::unordered_map<std::int64_t, Underway> underway_;
  std::size_t preparing_ = 0;
  std::mutex mutex_;
  std::vector<Prepared> prepared_;
  teacher::Workers workers_{2};  // ends first: its tasks use the rest
};

}  // namespace

Interview::Interview(run::Context& context, const Rules& rules, const shard::Catalog& catalog,
                     const std::unordered_set<SampleId>& samples)
    : context_(context), rules_(rules), book_(rules), pictures_(catalog, kCacheBytes) {
  take_published(context, samples, book_);
}

// Starts the count of what others spend from here on, too.
std::int64_t Interview::budget_left() {
  const auto all = static_cast<std::int64_t>(std::llround(context_.config.budget.usd * 1e6));
  const auto left = std::max<std::int64_t>(0, all - journals().spent_microusd("main"));
  if (context_.world.rank() == 0)
    spending_ = std::make_unique<teacher::Spending>(journals(), context_.job,
                                                    std::vector<std::string>{"main"}, context_.log);
  // Rank 0's figure counts: on a shared file system the others may see less.
  return context_.world.all_reduce(context_.world.rank() == 0 ? left : INT64_MAX, mpi::Reduce::min);
}

std::function<std::int64_t(int)> Interview::spent_elsewhere() {
  if (!spending_) return {};
  return [this](int line) { return spending_->since_start_microusd(line); };
}

void Interview::start_services() {
  if (services_) return;
  const double begun_s = monotonic_s();
  services_.emplace(
      run::EmbeddedServices::Setup{
          .config = context_.config, .campaign = context_.campaign.root(), .job = context_.job},
      context_.world, context_.log);
  services_s_ = monotonic_s() - begun_s;
}

// A rerun from stored answers opens no socket and needs no key. Rank 0 looks, the others are told.
bool Interview::anything_missing(std::int64_t items, const Needs& needs) {
  bool missing = false;
  book_.pass_over_failures(context_.rerun == run::Rerun::failed);
  if (context_.world.rank() == 0) {
    use_journals();
    const auto lookup = book_.lookup();
    for (std::int64_t item = 0; item < items && !missing; ++item)
      missing = !needs(item, lookup).empty();
  }
  return context_.world.all_reduce(std::int64_t{missing ? 1 : 0}, mpi::Reduce::max) != 0;
}

void Interview::ask(std::int64_t items, const Needs& needs) {
  if (items == 0 || !anything_missing(items, needs)) return;
  use_journals();
  start_services();
  const double begun_s = monotonic_s();
  Heard heard;
  teacher::Caller::JournalFailure failure;
  {
    const auto& vlm = services_->vlm();
    run::Handout handout({.items = items,
                          .services = {vlm},
                          .budget_microusd = {budget_left()},
                          .budget_of = {0},
                          .chunk = 4,
                          .spent_elsewhere = spent_elsewhere()},
                         context_.world);
    teacher::Caller caller(caller_setup(), handout, context_.log);
    // Permits bound what is sent; a few more stand ready so that no socket waits for an item.
    const int depth = std::max(4, 2 * vlm.max_in_flight / context_.world.size());
    context_.progress.begin("prompts", items);
    EventLoop loop(context_, rules_, needs, book_, pictures_, *services_, caller, handout, depth);
    loop.run();
    heard = {caller.files(), caller.services_down(), loop.stopped(), loop.budget_spent()};
    failure = caller.journal_failure();
    for (const auto& call : caller.calls())
      if (first_asked_ms_ == 0 || call.started_ms < first_asked_ms_)
        first_asked_ms_ = call.started_ms;
  }
  run::require_journals(context_.world, failure);
  // The journals are closed now, and every rank's are whole before anybody reads them.
  agree(heard);
  seconds_ += monotonic_s() - begun_s;
}

teacher::Caller::Setup Interview::caller_setup() {
  // A journal is never continued, so every asking has one of its own.
  const std::string job =
      askings_++ == 0 ? context_.job : context_.job + "-" + std::to_string(askings_);
  return {.services = {services_->vlm()},
          .journal_directory = context_.campaign.calls().string(),
          .job = job,
          .stage = std::string(name(context_.self.stage)),
          .round = context_.self.round,
          .rank = context_.world.rank(),
          .seed = rules_.seed,
          .service_patience_s = context_.config.harvest.service_patience_s,
          .ready_keys = services_->ready_keys(),
          .journals = journals_};
}

void Interview::agree(const Heard& heard) {
  const auto& world = context_.world;
  const auto anywhere = [&](bool here) {
    return world.all_reduce(std::int64_t{here ? 1 : 0}, mpi::Reduce::max) != 0;
  };
  const bool stopped = anywhere(heard.stopped);
  if (anywhere(heard.budget_spent)) budget_spent_ = true;
  for (auto& line : all_lines(world, heard.services_down)) services_down_.push_back(line);
  for (auto& line : all_lines(world, heard.files)) files_.push_back(line);
  if (journals_) journals_->read_new(files_);
  if (stopped)
    throw Stopped(std::string(name(context_.self.stage)) +
                  " stopped while asking (every answer is recorded); start it again");
}

const teacher::Journals& Interview::journals() {
  use_journals();
  return *journals_;
}

void Interview::use_journals() {
  if (!journals_)
    journals_ = std::make_shared<teacher::Journals>(context_.campaign.calls(), files_);
  book_.use(journals_);
}

Lookup Interview::recorded() {
  use_journals();
  book_.pass_over_failures(false);
  return book_.lookup();
}

}  // namespace evd::judge
