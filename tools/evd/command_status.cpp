#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/clock.hpp"
#include "core/text.hpp"
#include "queue_view.hpp"
#include "round_times.hpp"
#include "run/campaign.hpp"
#include "run/staleness.hpp"
#include "situation.hpp"
#include "slurm_queue.hpp"
#include "submitted_jobs.hpp"
#include "text_table.hpp"

namespace evd::hands {
namespace {

using run::Stage;
using run::StageRef;

constexpr std::array kStages = {Stage::harvest, Stage::judge, Stage::train, Stage::evaluate,
                                Stage::score};

std::string count_text(const std::map<std::string, std::int64_t>& tallies, const char* name) {
  const auto found = tallies.find(name);
  return found == tallies.end() ? "-" : std::to_string(found->second);
}

class Status {
 public:
  explicit Status(const std::filesystem::path& directory)
      : campaign_(directory),
        standings_(campaign_),
        observer_(run::lease_identity({}, "status", 1)),
        probes_(run::system_probes()),
        jobs_(read_jobs(campaign_)),
        rounds_(std::max({1, campaign_.rounds_begun(), jobs_.rounds})) {
    for (const auto& ref : run::chain(rounds_))
      looks_.emplace(ref, situation_of(campaign_, ref, standings_, observer_, probes_));
    if (jobs_.jobs.empty()) return;
    const auto answer = ask_queue(campaign_.id());
    queue_trouble_ = answer.trouble;
    add_queue(looks_, answer, jobs_, campaign_);
  }

  void print() {
    const auto& config = standings_.config(0);
    std::cout << config.campaign.name << " in " << campaign_.root().string() << ", campaign "
              << campaign_.id().hex() << "\n\n"
              << rounds_table() << "\n"
              << stories() << totals();
  }

  void print_times() {
    std::map<StageRef, shard::Manifest> manifests;
    for (const auto& [ref, look] : looks_)
      if (const auto& manifest = standings_.manifest(ref)) manifests.emplace(ref, *manifest);
    const auto log = read_run_log(campaign_);
    std::vector<std::vector<std::string>> rows = {{"round", "wall", "drawing", "judging",
                                                   "training", "rendering", "launcher", "overhead",
                                                   "with launcher"}};
    const auto seconds = [](double s) { return format("%.2f s", s); };
    for (const auto& [round, t] : round_times(log, manifests))
      rows.push_back({round == run::kStartRound ? "start" : std::to_string(round),
                      seconds(t.wall_s), seconds(t.drawing_s), seconds(t.judging_s),
                      seconds(t.training_s), seconds(t.rendering_s), seconds(t.launcher_s),
                      seconds(t.overhead_s()), seconds(t.overhead_s() + t.launcher_s)});
    std::cout << "\n" << text_table(rows, std::vector(rows[0].size(), Align::right));
    std::cout << (log.probes.empty()
                      ? "launcher: from mpirun's start to a running MPI, as the stages measured it "
                        "(evd run --times measures empty programs)\n"
                      : "launcher: empty programs of the same kind, timed by evd run --times\n");
  }

 private:
  std::string cell(const StageRef& ref) {
    const auto found = looks_.find(ref);
    if (found == looks_.end()) return "";
    std::string text(name_of(found->second.look));
    if (const auto& manifest = standings_.manifest(ref))
      if (const auto wall = manifest->seconds.find("wall"); wall != manifest->seconds.end())
        text += " " + human_duration(wall->second);
    return text;
  }

  std::string rounds_table() {
    std::vector<std::vector<std::string>> rows = {
        {"round", "harvest", "judge", "train", "evaluate", "score", "members", "waiting", "cost"}};
    for (int round = run::kStartRound; round < rounds_; ++round) {
      std::vector<std::string> row = {round == run::kStartRound ? "start" : std::to_string(round)};
      std::int64_t cost = 0;
      for (const auto stage : kStages) {
        row.push_back(cell({stage, round}));
        if (looks_.contains({stage, round}))
          if (const auto& manifest = standings_.manifest({stage, round}))
            cost += manifest->cost_microusd;
      }
      const auto* judge = round == run::kStartRound ? nullptr : judged(round);
      row.push_back(judge != nullptr ? count_text(judge->tallies, "members") : "");
      row.push_back(judge != nullptr ? count_text(judge->tallies, "waiting") : "");
      row.push_back(human_usd(cost));
      rows.push_back(std::move(row));
    }
    std::vector columns(9, Align::left);
    for (const std::size_t right : {0, 6, 7, 8}) columns[right] = Align::right;
    return text_table(rows, columns);
  }

  const shard::Manifest* judged(int round) {
    const auto& manifest = standings_.manifest({Stage::judge, round});
    return manifest ? &*manifest : nullptr;
  }

  // One paragraph for each stage that is neither done nor simply waiting.
  std::string stories() const {
    std::string text;
    std::vector<std::string> cancelled;
    for (const auto& ref : run::chain(rounds_)) {
      const auto& look = looks_.at(ref);
      if (look.look == Look::cancelled) cancelled.push_back(to_string(ref));
      if (look.story.empty() || look.look == Look::cancelled) continue;
      text += to_string(ref) + " " + std::string(name_of(look.look)) + ": " + look.story + "\n";
      if (!look.command.empty()) text += "  to do it: " + look.command + "\n";
    }
    if (!cancelled.empty())
      text +=
          (jobs_.is_cancelled ? "cancelled by evd cancel: " + join(cancelled, ", ") + "\n  to go on"
                              : "cancelled by Slurm, as what they wait for did not end well: " +
                                    join(cancelled, ", ") + "\n  when the cause is gone") +
          ": evd submit " + shell_word(campaign_.root().string()) + " --rounds " +
          std::to_string(jobs_.rounds) + "\n";
    if (!queue_trouble_.empty()) text += "submitted jobs are not shown: " + queue_trouble_ + "\n";
    return text.empty() ? "" : text + "\n";
  }

  std::string totals() {
    shard::Counts counts;
    std::int64_t cost = 0;
    std::int64_t ambiguous = 0;
    std::int64_t bytes = 0;
    double wall = 0;
    double cpu = 0;
    const auto add_seconds = [](const shard::Manifest& m, const char* name) {
      const auto found = m.seconds.find(name);
      return found == m.seconds.end() ? 0.0 : found->second;
    };
    for (const auto& [ref, look] : looks_) {
      const auto& manifest = standings_.manifest(ref);
      if (!manifest) continue;
      if (ref.stage == Stage::harvest) {
        counts.done += manifest->counts.done;
        counts.refused += manifest->counts.refused;
        counts.failed += manifest->counts.failed;
        counts.open += manifest->counts.open;
      }
      cost += manifest->cost_microusd;
      ambiguous += manifest->ambiguous_microusd;
      for (const auto& file : manifest->files) bytes += file.bytes;
      wall += add_seconds(*manifest, "wall");
      cpu += add_seconds(*manifest, "cpu");
    }
    std::string text = "images " + std::to_string(counts.done) + " (" +
                       std::to_string(counts.refused) + " refused, " +
                       std::to_string(counts.failed) + " failed, " + std::to_string(counts.open) +
                       " open), " + human_usd(cost);
    if (ambiguous > 0) text += " and perhaps " + human_usd(ambiguous) + " more without an answer";
    return text + ", " + human_bytes(static_cast<double>(bytes)) + " published, " +
           human_duration(wall) + " (" + human_duration(cpu) + " of processor time)\n";
  }

  run::Campaign campaign_;
  run::Standings standings_;
  run::LeaseRecord observer_;
  run::LeaseProbes probes_;
  SubmittedJobs jobs_;
  int rounds_;
  std::string queue_trouble_;
  Looks looks_;
};

}  // namespace

Command add_status(CLI::App& app) {
  auto* sub = app.add_subcommand("status", "Show rounds and stages: done, running, failed, stale");
  auto directory = std::make_shared<std::filesystem::path>();
  auto times = std::make_shared<bool>(false);
  sub->add_option("DIR", *directory, "Campaign directory")->required();
  sub->add_flag("--times", *times, "Where the time of each round went, and the loop's own share");
  return {sub, [directory, times] {
            Status status(*directory);
            status.print();
            if (*times) status.print_times();
            return 0;
          }};
}

}  // namespace evd::hands
