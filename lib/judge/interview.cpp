#include "judge/interview.hpp"

#include <algorithm>
#include <cmath>
#include <unordered_map>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/embedded.hpp"
#include "run/handout.hpp"
#include "teacher/caller.hpp"

namespace evd::judge {
namespace {

constexpr int kVlm = 0;  // the only service of these stages

std::int64_t budget_left(const run::Context& context, const teacher::Journals& journals) {
  const auto all = static_cast<std::int64_t>(std::llround(context.config.budget.usd * 1e6));
  const auto left = std::max<std::int64_t>(0, all - journals.spent_microusd("main"));
  // Rank 0's figure counts: on a shared file system the others may see less.
  return context.world.all_reduce(context.world.rank() == 0 ? left : INT64_MAX, mpi::Reduce::min);
}

std::vector<std::string> gather_lines(const mpi::Communicator& world,
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
  return lines;
}

class Interview {
 public:
  Interview(run::Context& context, const Rules& rules, const Needs& needs, AnswerBook& book,
            PictureCache& pictures, teacher::Caller& caller, run::Handout& handout, int depth)
      : context_(context),
        rules_(rules),
        needs_(needs),
        book_(book),
        pictures_(pictures),
        caller_(caller),
        handout_(handout),
        lookup_(book.lookup()),
        depth_(static_cast<std::size_t>(depth)) {}

  void run() {
    while (!handout_.complete()) {
      if (context_.stop && !stopping_) {
        stopping_ = true;
        handout_.stop();
        caller_.stop();
      }
      while (!stopping_ && caller_.pending() < depth_) {
        const auto item = handout_.next();
        if (item < 0) break;
        go_on(item);
      }
      caller_.step();
      handout_.step();
      context_.progress.update(handout_.finished_count());
    }
  }

 private:
  struct Underway {
    std::size_t outstanding = 0;
    std::vector<RequestKey> keys;  // answers to drop from memory when the item is through
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

  void send(std::int64_t item, const std::shared_ptr<const Ask>& ask) {
    teacher::Call call{.key = ask->key, .body = [this, ask] { return body_of(*ask); }};
    call.max_cost_microusd =
        static_cast<std::int64_t>(std::llround(context_.config.vlm.price_usd * 1e6));
    if (context_.rerun == run::Rerun::failed) call.recall = teacher::Recall::unless_failed;
    caller_.submit(kVlm, std::move(call), [this, item, ask](const teacher::Reply& reply) {
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
  teacher::Caller& caller_;
  run::Handout& handout_;
  Lookup lookup_;
  std::size_t depth_;
  bool stopping_ = false;
  std::unordered_map<std::int64_t, Underway> underway_;
};

}  // namespace

Asked interview(run::Context& context, const Rules& rules, std::int64_t items, const Needs& needs,
                AnswerBook& book, PictureCache& pictures) {
  const double begun_s = monotonic_s();
  auto& world = context.world;
  const auto calls = context.campaign.calls();
  Asked asked;
  asked.now = std::make_shared<teacher::Journals>(calls);
  if (items == 0) return asked;

  const run::EmbeddedServices services(
      {.config = context.config, .campaign = context.campaign.root(), .job = context.job}, world,
      context.log);
  const auto& vlm = services.vlm();
  run::Handout handout({.items = items,
                        .services = {vlm},
                        .budget_microusd = {budget_left(context, *asked.now)},
                        .budget_of = {0},
                        .chunk = 4},
                       world);
  teacher::Caller caller({.services = {vlm},
                          .journal_directory = calls.string(),
                          .job = context.job,
                          .stage = std::string(name(context.self.stage)),
                          .round = context.self.round,
                          .rank = world.rank(),
                          .seed = rules.seed,
                          .service_patience_s = context.config.harvest.service_patience_s,
                          .ready_keys = services.ready_keys(),
                          .journals = asked.now},
                         handout, context.log);
  // Permits bound what is sent; a few more stand ready so that no socket waits for an item.
  const int depth = std::max(4, 2 * vlm.max_in_flight / world.size());
  Interview(context, rules, needs, book, pictures, caller, handout, depth).run();

  const bool stopped = world.all_reduce(std::int64_t{context.stop ? 1 : 0}, mpi::Reduce::max) != 0;
  asked.budget_spent =
      world.all_reduce(std::int64_t{handout.budget_spent() ? 1 : 0}, mpi::Reduce::max) != 0;
  asked.services_down = gather_lines(world, caller.services_down());
  const auto files = gather_lines(world, caller.files());
  asked.seconds = monotonic_s() - begun_s;
  if (stopped)
    throw Stopped(std::string(name(context.self.stage)) +
                  " stopped while asking (every answer is recorded); start it again");
  asked.now = world.rank() == 0 ? std::make_shared<teacher::Journals>(calls, files) : nullptr;
  return asked;
}

}  // namespace evd::judge
