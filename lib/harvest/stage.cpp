#include "harvest/stage.hpp"

#include <algorithm>
#include <cmath>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "harvest/archive.hpp"
#include "harvest/drawing.hpp"
#include "harvest/input.hpp"
#include "harvest/shards.hpp"
#include "harvest/standing.hpp"
#include "teacher/spending.hpp"

namespace evd::harvest {
namespace {

std::int64_t microusd(double usd) { return std::llround(usd * 1e6); }

class Harvest {
 public:
  explicit Harvest(run::Context& context) : context_(context) {}

  run::Result run() {
    timed("plan", [&] { prepare(); });
    if (!missing_.empty()) timed("drawing", [&] { draw(); });
    note_start();
    timed("publish", [&] { publish(); });
    return result_;
  }

 private:
  [[nodiscard]] bool is_root() const { return context_.world.rank() == 0; }

  template <class Work>
  void timed(const char* activity, Work work) {
    const double begun_s = monotonic_s();
    work();
    result_.seconds[activity] = monotonic_s() - begun_s;
  }

  // Rank 0 looks everything up; the others plan the same and are told what is missing.
  void prepare() {
    input_ = read_input(context_);
    nlohmann::json words;
    archive_.emplace(context_.campaign.root());
    if (is_root()) {
      Archive& archive = *archive_;
      for (const auto& problem : archive.journals()->problems()) context_.log.warning(problem);
      input_.rules.sample_index = choose_sample_index(context_, input_, archive);
      input_.draws = plan(input_.set, input_.rules);
      find_missing(archive);
      const auto& journals = *archive.journals();
      spending_ = std::make_shared<teacher::Spending>(
          journals, context_.job, std::vector<std::string>{kMainLine, kHeldoutLine}, context_.log);
      words = {{"sample_index", input_.rules.sample_index},
               {"missing", missing_},
               {"main", microusd(context_.config.budget.usd) - journals.spent_microusd(kMainLine)},
               {"heldout", microusd(context_.config.budget.heldout_usd) -
                               journals.spent_microusd(kHeldoutLine)}};
    }
    words = nlohmann::json::parse(context_.world.broadcast(words.dump(), 0));
    main_microusd_ = words["main"];
    heldout_microusd_ = words["heldout"];
    if (is_root()) return;
    input_.rules.sample_index = words["sample_index"];
    input_.draws = plan(input_.set, input_.rules);
    missing_ = words["missing"].get<std::vector<std::size_t>>();
  }

  void find_missing(Archive& archive) {
    for (std::size_t i = 0; i < input_.draws.size(); ++i) {
      const auto& key = input_.draws[i].key;
      auto found = archive.find(key);
      // Recorded and not yet published: an earlier life was cut short, so there are few of them.
      if (found && !found->published)
        if (const auto damage = archive.drop_if_damaged(key)) {
          found = archive.find(key);
          context_.log.warning(*damage + (found ? " (a published copy is taken)"
                                                : " (asked for again, counted as possibly "
                                                  "charged)"));
        }
      const bool ask_again =
          found && found->outcome == shard::Outcome::failed && context_.rerun == run::Rerun::failed;
      if (!found || ask_again) missing_.push_back(i);
    }
    context_.log.info(std::to_string(input_.draws.size()) + " images wanted, " +
                      std::to_string(missing_.size()) + " of them not yet recorded");
  }

  void draw() {
    drawn_ = draw_missing(context_, {.input = input_,
                                     .missing = missing_,
                                     .main_microusd = main_microusd_,
                                     .heldout_microusd = heldout_microusd_,
                                     .journals = archive_->journals(),
                                     .spending = spending_});
  }

  void publish() {
    archive_->read_new(drawn_.journal_files);
    const Archive& archive = *archive_;
    nlohmann::json cuts = nlohmann::json::array();
    if (is_root()) {
      const Standing standing(input_, archive);
      decide(standing);
      standing.count(result_);
      for (const Part& part : cut(input_, archive, context_.config.harvest.shard_mib))
        cuts.push_back({part.first, part.last});
    }
    cuts = nlohmann::json::parse(context_.world.broadcast(cuts.dump(), 0));
    std::vector<Part> parts;
    for (const auto& part : cuts) parts.push_back({part[0], part[1]});
    result_.files = publish_parts(context_, input_, archive, parts);
    if (!is_root()) return;
    remove_stray_parts(context_, parts.size());
    publish_calls(*archive.journals());
    result_.afterwards = [root = context_.campaign.root(), round = context_.self.round,
                          journals = archive.journals()] {
      const Archive now(root);  // with what has been published
      static_cast<void>(journals->settle(
          "harvest", round, [&](const RequestKey& key) { return now.is_published(key); }));
    };
  }

  // The start of the embedded services is no drawing; the first request is told without it.
  void note_start() {
    if (missing_.empty()) return;
    result_.seconds["services"] = drawn_.services_s;
    result_.seconds["drawing"] -= drawn_.services_s;
    if (drawn_.first_asked_ms > 0)
      result_.seconds["first_request"] =
          static_cast<double>(drawn_.first_asked_ms - begun_ms_) / 1e3 - drawn_.services_s;
  }

  // Only rank 0 throws here: the others wait for its words and end with the job.
  void decide(const Standing& standing) {
    const Verdict verdict = judge_partial(standing, {.services_down = drawn_.services_down,
                                                     .budget_spent = drawn_.budget_spent,
                                                     .harvest = context_.config.harvest,
                                                     .accept_partial = context_.accept_partial});
    if (!verdict.publish) throw ServiceError(verdict.why);
    if (!verdict.why.empty()) context_.log.warning(verdict.why);
    result_.closing_line = standing.summary();
    if (!verdict.why.empty()) result_.closing_line += "; " + verdict.why;
  }

  void publish_calls(const teacher::Journals& journals) {
    const auto rows = journals.calls("harvest", context_.self.round);
    for (const auto& row : rows) {
      (row.ambiguous ? result_.ambiguous_microusd : result_.cost_microusd) += row.cost_microusd;
      result_.tallies["ambiguous_attempts"] += row.ambiguous ? 1 : 0;
    }
    result_.tallies["attempts"] = static_cast<std::int64_t>(rows.size());
    auto entry =
        shard::write_table<shard::Call>(context_.directory / "calls.h5", context_.header(), rows);
    entry.name = "calls.h5";
    result_.files.push_back(entry);
    result_.closing_line += ", " + human_usd(result_.cost_microusd) + " in this round";
  }

  run::Context& context_;
  std::int64_t begun_ms_ = utc_ms();
  Input input_;
  std::vector<std::size_t> missing_;
  std::int64_t main_microusd_ = 0;
  std::int64_t heldout_microusd_ = 0;
  std::shared_ptr<teacher::Spending> spending_;  // on rank 0
  std::optional<Archive> archive_;
  Drawn drawn_;
  run::Result result_;
};

}  // namespace

run::Result run_stage(run::Context& context) { return Harvest(context).run(); }

}  // namespace evd::harvest
