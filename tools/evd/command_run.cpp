#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "commands.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "launcher.hpp"
#include "run/admission.hpp"
#include "run/campaign.hpp"
#include "run/launch.hpp"
#include "run/lease.hpp"
#include "run/progress.hpp"
#include "run/stage_report.hpp"
#include "run/staleness.hpp"
#include "run_log.hpp"
#include "site.hpp"
#include "slurm_queue.hpp"
#include "submitted_jobs.hpp"
#include "text_table.hpp"
#include "worth.hpp"

namespace evd::hands {
namespace {

using run::Stage;
using run::StageRef;
using run::State;

struct RunOptions {
  std::filesystem::path directory;
  int rounds = 1;
  int ranks = 1;
  bool redo_stale = false;
  bool times = false;
};

std::string outcome_text(const shard::Manifest& manifest) {
  std::string text = std::to_string(manifest.counts.done) + " done";
  const auto add = [&](std::int64_t count, const char* what) {
    if (count > 0) text += ", " + std::to_string(count) + " " + what;
  };
  add(manifest.counts.refused, "refused");
  add(manifest.counts.failed, "failed");
  add(manifest.counts.open, "open");
  if (manifest.cost_microusd > 0) text += ", " + human_usd(manifest.cost_microusd);
  return text;
}

class ChainRun {
 public:
  explicit ChainRun(const RunOptions& options) : options_(options), campaign_(options.directory) {
    if (::access(campaign_.root().c_str(), W_OK) != 0)
      throw_errno("write into the campaign", campaign_.root().string());
    fs::make_directory(campaign_.logs());
  }

  int go() {
    const auto stages = run::chain(options_.rounds);
    if (const int code = check_stale(stages); code != 0) return code;
    warn_of_jobs();
    if (options_.times && !time_launches()) return stopped();
    for (const auto& ref : stages) {
      if (runner_.take_stop()) return stopped();
      if (const int code = step(ref); code != 0) return code;
    }
    std::cout << "rounds 0 to " << options_.rounds - 1 << " are done; a look: evd status "
              << shell_word(campaign_.root().string()) << "\n";
    return 0;
  }

 private:
  // They would do the same stages, one here and one there.
  void warn_of_jobs() const {
    if (read_jobs(campaign_).jobs.empty()) return;
    const auto answer = ask_queue(campaign_.id());
    if (answer.queue.empty()) return;
    const auto count = answer.queue.size();
    std::cerr << "evd: Slurm's queue holds " << count << (count == 1 ? " job" : " jobs")
              << " of this campaign, for the same stages (evd cancel "
              << shell_word(campaign_.root().string()) << " ends them)\n";
  }

  // Stale results are not redone unasked: they may have cost money.
  int check_stale(const std::vector<StageRef>& stages) const {
    run::Standings standings(campaign_);
    Worth worth;
    for (const auto& ref : stages) {
      const auto& standing = standings.of(ref);
      if (standing.state != State::stale && standing.state != State::damaged) continue;
      worth.add(standings.manifest(ref));
      std::cerr << "evd: " << to_string(ref) << " is " << name_of(standing.state) << ": "
                << standing.why << "\n";
    }
    if (worth.stages == 0 || options_.redo_stale) return 0;
    std::cerr << "evd: " << worth.stages << " stages would be done again; they had " << worth.text()
              << ", of which none is paid again unless its request differs; to do so: evd run "
              << shell_word(campaign_.root().string()) << " --rounds " << options_.rounds
              << " --ranks " << options_.ranks << " --redo-stale\n";
    return static_cast<int>(ExitCode::configuration);
  }

  int step(const StageRef& ref) {
    run::Standings standings(campaign_);
    const auto state = standings.of(ref).state;
    const std::string label = padded(to_string(ref), 17);
    if (state == State::done) {
      std::cout << label << padded("was done", 12) << outcome_text(*standings.manifest(ref))
                << std::endl;
      return 0;
    }
    std::vector<std::string> program = {sibling_program(run::program_of(ref.stage)).string(),
                                        campaign_.root().string()};
    for (const auto& word : split(run::arguments_of(ref), ' ')) program.push_back(word);
    if (state != State::unfinished) program.emplace_back("--rerun");
    const auto log = log_file(ref);
    const std::int64_t spawned_ms = utc_ms();
    shown_s_ = monotonic_s();
    const auto end = runner_.run({.command = launch_command(options_.ranks, program),
                                  .environment = {{"EVD_SPAWNED_MS", std::to_string(spawned_ms)}},
                                  .log = log,
                                  .every = [&] { show_progress(ref); }});
    clear_progress();
    append_run(campaign_, {ref, spawned_ms, utc_ms(), end.wall_s, end.code});
    // What was saved is judged by the files, never by mpirun's code.
    const auto manifest = campaign_.manifest(ref);
    if (manifest && manifest->created_ms >= spawned_ms) {
      std::cout << label << padded(human_duration(end.wall_s), 12) << outcome_text(*manifest)
                << std::endl;
      return end.told_to_stop ? stopped() : 0;
    }
    if (end.killed) return killed(ref);
    if (end.told_to_stop || end.code == static_cast<int>(ExitCode::stopped)) return stopped();
    return failed(ref, end.code, log);
  }

  int stopped() const {
    std::cerr << "evd: stopped, all work is saved; to go on, type the same command again\n";
    return static_cast<int>(ExitCode::stopped);
  }

  int killed(const StageRef& ref) const {
    std::cerr << "evd: " << to_string(ref)
              << " was ended at once; what it had saved is kept; to go on, type the same command "
                 "again\n";
    return 128 + SIGINT;
  }

  int failed(const StageRef& ref, int code, const std::filesystem::path& log) const {
    const auto report = run::read_report(campaign_.directory(ref));
    const auto lease = run::read_lease(campaign_.lease_file(ref));
    // A report of an earlier life says nothing about this one.
    const bool own =
        report && lease && report->attempt == lease->attempt && report->state == "failed";
    std::cerr << "evd: " << to_string(ref) << " failed (exit code " << code << "): "
              << (own ? "rank " + std::to_string(report->rank) + ": " + report->error
                      : last_line(log))
              << "\nevd: its log: " << log.string()
              << "\nevd: when the cause is gone, type the same "
              << "command again; what is recorded is kept\n";
    return code > 0 && code < 128 ? code : static_cast<int>(ExitCode::internal);
  }

  // The last line of the log that is an error of ours, or simply the last.
  static std::string last_line(const std::filesystem::path& log) {
    std::string last = "it said nothing";
    std::string error;
    try {
      for (const auto& line : split(fs::read_text(log), '\n')) {
        // Of mpirun's banners only how a rank died is worth telling.
        if (line.find("exited on signal") != std::string::npos && error.empty())
          error = std::string(trim(line)) + " (out of memory?)";
        if (line.find("--------") == std::string::npos && !trim(line).empty()) last = line;
        if (line.find(" error ") != std::string::npos && line.find(" rank ") != std::string::npos)
          error = line.substr(line.find(" error ") + 7);
      }
    } catch (const Error& trouble) {
      return trouble.what();
    }
    return error.empty() ? last : error;
  }

  std::filesystem::path log_file(const StageRef& ref) const {
    const std::string stem = run::file_stem(ref) + "-" + run::job_name(std::getenv);
    for (int life = 0;; ++life) {
      auto path = campaign_.logs() / (stem + "." + std::to_string(life) + ".log");
      std::error_code ignored;
      if (!std::filesystem::exists(path, ignored)) return path;
    }
  }

  // On a terminal a line that rewrites itself; else one line a minute, as a job's log has it.
  void show_progress(const StageRef& ref) {
    const bool is_due = is_terminal_ || monotonic_s() - shown_s_ > 60;
    if (!is_due) return;
    const auto facts = run::read_progress(campaign_.progress_file(ref));
    if (!is_terminal_) {
      shown_s_ = monotonic_s();
      if (facts) std::cerr << progress_line(*facts) << std::endl;
      return;
    }
    // The file goes when the work is done; what was shown last still holds then.
    if (facts) shown_ = progress_line(*facts);
    std::cerr << "\r\033[K" << (shown_.empty() ? to_string(ref) + ": begins" : shown_)
              << std::flush;
    line_open_ = true;
  }
  void clear_progress() {
    if (line_open_) std::cerr << "\r\033[K" << std::flush;
    line_open_ = false;
    shown_.clear();
  }

  // An empty program of each kind, so that the launcher's share of a round can be told from ours.
  // False when told to stop.
  bool time_launches() {
    for (const auto stage : {Stage::harvest, Stage::judge, Stage::train, Stage::evaluate}) {
      const auto program = sibling_program(run::program_of(stage)).string();
      const std::int64_t spawned_ms = utc_ms();
      const auto end = runner_.run(
          {.command = launch_command(options_.ranks, {program, "DIR", "--launch-probe"}),
           .environment = {},
           .log = "/dev/null",
           .every = {}});
      if (end.told_to_stop) return false;
      if (end.code != 0)
        throw ConfigurationError("an empty " + run::program_of(stage) +
                                 " could not be started on " + std::to_string(options_.ranks) +
                                 " ranks by mpirun");
      append_probe(campaign_, {stage, spawned_ms, end.wall_s});
    }
    return true;
  }

  const RunOptions& options_;
  run::Campaign campaign_;
  JobRunner runner_;
  bool is_terminal_ = isatty(STDERR_FILENO) == 1;
  bool line_open_ = false;
  double shown_s_ = monotonic_s();
  std::string shown_;
};

}  // namespace

Command add_run(CLI::App& app) {
  auto* sub = app.add_subcommand("run", "Run the chain of stages on this machine, by mpirun");
  auto options = std::make_shared<RunOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("--rounds", options->rounds,
                  "Rounds in all; what is done is passed over, so a larger number goes on")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str()
      ->type_name("N");
  sub->add_option("--ranks", options->ranks, "MPI ranks of each stage")
      ->check(CLI::Range(1, 4096))
      ->capture_default_str()
      ->type_name("K");
  sub->add_flag("--redo-stale", options->redo_stale,
                "Do stages again whose inputs or settings have changed since");
  sub->add_flag("--times", options->times, "Time empty programs first, for evd status --times");
  return {sub, [options] { return ChainRun(*options).go(); }};
}

}  // namespace evd::hands
