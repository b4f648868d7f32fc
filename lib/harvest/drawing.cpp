#include "harvest/drawing.hpp"

#include <algorithm>
#include <numeric>
#include <set>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/drain.hpp"
#include "run/embedded.hpp"
#include "run/handout.hpp"
#include "run/journal_failure.hpp"
#include "teacher/openai_images.hpp"

namespace evd::harvest {
namespace {

class Drawing {
 public:
  Drawing(run::Context& context, const DrawingTask& task)
      : context_(context),
        task_(task),
        embedded_(
            {.config = context.config, .campaign = context.campaign.root(), .job = context.job},
            context.world, context.log),
        services_s_(monotonic_s() - begun_s_),
        handout_(handout_setup(), context.world),
        caller_(caller_setup(), handout_, context.log),
        drain_(handout_, caller_, context.log) {
    int in_flight = 0;
    for (const auto& service : embedded_.teachers()) in_flight += service.max_in_flight;
    window_ = static_cast<std::size_t>(2 * in_flight + 16);
  }

  void run() {
    context_.progress.begin("images", static_cast<std::int64_t>(task_.missing.size()));
    // Rank 0 answers the others from this loop, so it does not wait long for its own sockets.
    const int wait_ms = context_.world.size() == 1 ? 5 : 1;
    while (!handout_.complete() && !drain_.over()) {
      if (context_.stop || !caller_.journal_failure().what.empty()) handout_.stop();
      embedded_.check();
      feed();
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

  [[nodiscard]] const teacher::Caller::JournalFailure& journal_failure() const {
    return caller_.journal_failure();
  }
  [[nodiscard]] double services_s() const { return services_s_; }

  [[nodiscard]] std::int64_t first_asked_ms() const {
    std::int64_t first = 0;
    for (const auto& row : caller_.calls())
      if (first == 0 || row.started_ms < first) first = row.started_ms;
    return first;
  }

  [[nodiscard]] nlohmann::json findings() {
    return {
        {"down", caller_.services_down()}, {"files", caller_.files()}, {"spent", budget_spent_}};
  }

 private:
  // Services twice, once for each budget line; those of equal name share their limits.
  [[nodiscard]] std::vector<teacher::ServiceOptions> services() const {
    auto all = embedded_.teachers();
    all.insert(all.end(), embedded_.teachers().begin(), embedded_.teachers().end());
    return all;
  }

  [[nodiscard]] run::Handout::Setup handout_setup() const {
    const std::size_t teachers = embedded_.teachers().size();
    std::vector<int> lines(teachers, 0);
    lines.resize(2 * teachers, 1);
    std::function<std::int64_t(int)> elsewhere;
    if (task_.spending)
      elsewhere = [this](int line) { return task_.spending->since_start_microusd(line); };
    return {.items = static_cast<std::int64_t>(task_.missing.size()),
            .services = services(),
            .budget_microusd = {task_.main_microusd, task_.heldout_microusd},
            .budget_of = lines,
            .spent_elsewhere = elsewhere};
  }

  [[nodiscard]] teacher::Caller::Setup caller_setup() const {
    return {.services = services(),
            .journal_directory = context_.campaign.calls().string(),
            .job = context_.job,
            .stage = "harvest",
            .round = context_.self.round,
            .rank = context_.world.rank(),
            .seed = context_.config.campaign.seed,
            .service_patience_s = context_.config.harvest.service_patience_s,
            .ready_keys = embedded_.ready_keys(),
            .journals = task_.journals};
  }

  void feed() {
    if (stopped()) return;
    // What waits for a dead service must not keep the living ones idle.
    while (caller_.pending() - std::min(caller_.held(), caller_.pending()) < window_) {
      const std::int64_t item = handout_.next();
      if (item < 0) return;
      submit(item);
    }
  }

  void submit(std::int64_t item) {
    const Input& input = task_.input;
    const Draw& draw = input.draws[task_.missing[static_cast<std::size_t>(item)]];
    const bool heldout = input.is_heldout(draw);
    const std::size_t service = draw.teacher + (heldout ? embedded_.teachers().size() : 0);
    teacher::Call call;
    call.key = draw.key;
    call.body = [this, &draw] { return body_of(draw); };
    call.budget_line = heldout ? kHeldoutLine : kMainLine;
    call.recall = context_.rerun == run::Rerun::failed ? teacher::Recall::unless_failed
                                                       : teacher::Recall::all;
    caller_.submit(static_cast<int>(service), std::move(call),
                   [this, item](const teacher::Reply& reply) {
                     budget_spent_ = budget_spent_ || reply.reason == "budget";
                     handout_.finished(item);
                   });
  }

  [[nodiscard]] std::string body_of(const Draw& draw) const {
    const auto& service = embedded_.teachers()[draw.teacher];
    return teacher::images_request_body({.model = service.model,
                                         .prompt = prompt_sent(task_.input.set[draw.sample]),
                                         .width = draw.width,
                                         .height = draw.height,
                                         .quality = service.quality});
  }

  run::Context& context_;
  const DrawingTask& task_;
  double begun_s_ = monotonic_s();
  run::EmbeddedServices embedded_;
  double services_s_ = 0;
  run::Handout handout_;
  teacher::Caller caller_;
  run::Drain drain_;
  std::size_t window_ = 0;
  bool budget_spent_ = false;
};

// What all ranks found, on every rank.
Drawn share_findings(const mpi::Communicator& world, const nlohmann::json& mine) {
  const std::string text = mine.dump();
  nlohmann::json all = nlohmann::json::array();
  for (const auto& bytes : world.gather(as_bytes(text), 0))
    all.push_back(
        nlohmann::json::parse(reinterpret_cast<const char*>(bytes.data()),
                              reinterpret_cast<const char*>(bytes.data()) + bytes.size()));
  all = nlohmann::json::parse(world.broadcast(all.dump(), 0));
  Drawn drawn;
  std::set<std::string> down;
  for (const auto& one : all) {
    for (const auto& line : one["down"]) down.insert(line.get<std::string>());
    for (const auto& file : one["files"]) drawn.journal_files.push_back(file);
    drawn.budget_spent = drawn.budget_spent || one["spent"].get<bool>();
  }
  drawn.services_down.assign(down.begin(), down.end());
  return drawn;
}

}  // namespace

Drawn draw_missing(run::Context& context, const DrawingTask& task) {
  nlohmann::json findings;
  bool stopped = false;
  double services_s = 0;
  std::int64_t first_asked_ms = 0;
  teacher::Caller::JournalFailure failure;
  {
    Drawing drawing(context, task);
    drawing.run();
    findings = drawing.findings();
    services_s = drawing.services_s();
    first_asked_ms = drawing.first_asked_ms();
    stopped = drawing.stopped();
    failure = drawing.journal_failure();
  }
  run::require_journals(context.world, failure);
  // The journals are closed now, and every rank's are whole before anybody reads them.
  if (context.world.all_reduce(std::int64_t{stopped ? 1 : 0}, mpi::Reduce::max) > 0)
    throw Stopped("harvest was asked to stop; every answer that came is recorded");
  Drawn drawn = share_findings(context.world, findings);
  drawn.services_s = services_s;
  drawn.first_asked_ms = first_asked_ms;
  return drawn;
}

}  // namespace evd::harvest
