#include "run/program.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/admission.hpp"
#include "run/launch.hpp"
#include "run/outcome.hpp"
#include "run/signals.hpp"
#include "run/stage_arguments.hpp"
#include "run/stage_report.hpp"
#include "run/staleness.hpp"

namespace evd::run {
namespace {

const char* environment(const char* name) { return std::getenv(name); }

double cpu_s() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + 1e-6 * static_cast<double>(t.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

// Files are as open to the group and to others as the campaign directory is.
void take_mode_of(const std::filesystem::path& campaign) {
  struct stat info {};
  if (::stat(campaign.c_str(), &info) == 0) umask(~info.st_mode & 0777);
}

Config effective_config(const Campaign& campaign, const StageArguments& arguments) {
  Config config = campaign.config(arguments.self.round);
  const Config before = config;
  apply_settings(config, arguments.settings);
  for (const auto& change : changes(before, config)) {
    if (change.scope != Scope::operation)
      throw ConfigurationError(
          "--set " + change.path + ": a " + std::string(name(change.scope)) +
          " key is frozen for a round; to change it from a round on: evd set " +
          shell_word(campaign.root().string()) + " " + change.path + "=... --from ROUND");
  }
  return config;
}

// How long ranks that left at a signal wait for the others: EVD_STOP_GRACE_S, for sites whose
// preemption leaves less.
double stop_grace_s() {
  const char* text = environment("EVD_STOP_GRACE_S");
  const double seconds = text == nullptr ? 0 : std::atof(text);
  return seconds > 0 ? seconds : 120;
}

// What rank 0 decided, for the others: "run ATTEMPT", "skip" or "fail CODE".
std::string broadcast_decision(const mpi::Communicator& world, std::string decision) {
  return world.broadcast(std::move(decision), 0);
}

// One life of a stage, on every rank.
class Life {
 public:
  Life(const StageArguments& arguments, const StageProgram& stage, mpi::Communicator& world,
       const Log& log, double launch_s)
      : arguments_(arguments), stage_(stage), world_(world), log_(log), launch_s_(launch_s) {}

  ExitCode run() {
    const auto decision = split(broadcast_decision(world_, is_root() ? enter() : ""), ' ');
    if (decision[0] == "skip") return ExitCode::done;
    if (decision[0] == "fail") return static_cast<ExitCode>(std::stoi(decision[1]));
    attempt_ = std::stoi(decision[1]);
    if (!is_root()) open();
    try {
      return work();
    } catch (const std::exception& error) {
      report_end("failed", exit_code(error), error.what());
      throw;
    }
  }

 private:
  [[nodiscard]] bool is_root() const { return world_.rank() == 0; }

  void open() {
    campaign_.emplace(arguments_.directory);
    take_mode_of(campaign_->root());
    config_ = effective_config(*campaign_, arguments_);
    job_ = job_name(environment);
  }

  // Rank 0 alone: may this stage run? A refusal is told here and becomes the exit code; no rank
  // has begun anything, so the job can end in good order.
  std::string enter() {
    try {
      open();
      if (stage_.check) stage_.check(config_);
      admission_ = admit(*campaign_,
                         {.self = arguments_.self,
                          .rerun = arguments_.rerun,
                          .yes = arguments_.yes,
                          .job = job_,
                          .ranks = world_.size()},
                         system_probes(), {}, log_);
      if (!admission_.lease) return "skip";
      return "run " + std::to_string(admission_.lease->attempt());
    } catch (const DataError& error) {
      log_.error(error.what());
      tell_failure(error);
      return "fail " + std::to_string(static_cast<int>(exit_code(error)));
    } catch (const std::exception& error) {
      log_.error(error.what());
      return "fail " + std::to_string(static_cast<int>(exit_code(error)));
    }
  }

  // What a stage was to read is damaged: that stands in its report as if it had found out itself.
  void tell_failure(const DataError& error) {
    if (!campaign_) return;
    try {
      const auto lease = read_lease(campaign_->lease_file(arguments_.self));
      if (!lease || lease->job != job_) return;  // another job's: the log has it
      attempt_ = lease->attempt;
      fs::make_directory(campaign_->directory(arguments_.self));
    } catch (const std::exception&) {
      return;
    }
    report_end("failed", exit_code(error), error.what());
  }

  ExitCode work() {
    auto channel = world_.duplicate();
    log_.info(to_string(arguments_.self) + " begins on " + std::to_string(world_.size()) +
              (world_.size() == 1 ? " rank" : " ranks") + ", job " + job_ + ", attempt " +
              std::to_string(attempt_));
    Ending mine = Ending::done;
    std::string stopped_why;
    try {
      run_stage();
    } catch (const Stopped& stopped) {
      mine = Ending::stopped;
      stopped_why = stopped.what();
    }
    const Ending all = agree(channel, mine, log_, stop_grace_s());
    const double cpu = world_.all_reduce(cpu_s(), mpi::Reduce::sum);
    result_.seconds["cpu"] = cpu;
    if (!is_root()) return ExitCode::done;
    if (all == Ending::stopped) {
      admission_.lease->confirm();
      report_end("stopped", ExitCode::stopped, stopped_why);
      log_.info(to_string(arguments_.self) + " stopped early, its work is saved; to go on: " +
                command_of(arguments_.self, campaign_->root()));
      return ExitCode::stopped;
    }
    publish();
    return ExitCode::done;
  }

  void run_stage() {
    Progress progress(
        log_, to_string(arguments_.self),
        is_root() ? campaign_->progress_file(arguments_.self) : std::filesystem::path());
    Context context{.campaign = *campaign_,
                    .config = config_,
                    .self = arguments_.self,
                    .attempt = attempt_,
                    // To the stage a stale result is one to make again.
                    .rerun = arguments_.rerun == Rerun::stale ? Rerun::again : arguments_.rerun,
                    .accept_partial = arguments_.accept_partial,
                    .directory = campaign_->directory(arguments_.self),
                    .job = job_,
                    .log = log_,
                    .stop = stop_flag(),
                    .progress = progress,
                    .world = world_};
    result_ = stage_.run(context);
  }

  void publish() {
    Standings standings(*campaign_);
    const auto now = current_inputs(standings, arguments_.self, campaign_->root());
    const auto same = [](const shard::InputEntry& a, const shard::InputEntry& b) {
      return a.stage == b.stage && a.round == b.round && a.content == b.content;
    };
    const auto& then = admission_.inputs;
    if (!std::equal(now.begin(), now.end(), then.begin(), then.end(), same))
      throw ConfigurationError("an input of " + to_string(arguments_.self) +
                               " changed while it ran, so nothing is published; type the same "
                               "command again");
    admission_.lease->confirm();
    report_end("done", ExitCode::done, "");
    shard::publish_manifest(campaign_->directory(arguments_.self), manifest());
    if (result_.afterwards) try {
        result_.afterwards();
      } catch (const std::exception& trouble) {
        log_.warning(std::string("tidying up: ") + trouble.what());
      }
    if (!result_.closing_line.empty()) log_.info(result_.closing_line);
    log_.info(to_string(arguments_.self) + " is done after " +
              human_duration(monotonic_s() - begun_s_));
  }

  [[nodiscard]] shard::Manifest manifest() const {
    const bool partial =
        arguments_.accept_partial && result_.counts.open + result_.counts.failed > 0;
    return manifest_of(
        *campaign_, arguments_.self, config_, result_,
        {.inputs = admission_.inputs,
         .attempt = attempt_,
         .job = job_,
         .ranks = world_.size(),
         .seconds = seconds(),
         .accepted_partial_by = partial ? lease_identity(arguments_.self, job_, 1).user : ""});
  }

  [[nodiscard]] std::map<std::string, double> seconds() const {
    auto all = result_.seconds;
    all["launch"] = launch_s_;
    all["wall"] = monotonic_s() - begun_s_;
    return all;
  }

  void report_end(const std::string& state, ExitCode code, const std::string& error) const {
    StageReport r;
    r.stage = name(arguments_.self.stage);
    r.round = arguments_.self.round;
    r.attempt = attempt_;
    r.state = state;
    r.exit_code = static_cast<int>(code);
    r.error = error;
    r.rank = world_.rank();
    r.ranks = world_.size();
    r.job = job_;
    r.software = software();
    r.started_ms = begun_ms_;
    r.ended_ms = utc_ms();
    r.closing_line = result_.closing_line;
    r.counts = result_.counts;
    r.by_teacher = result_.by_teacher;
    r.tallies = result_.tallies;
    r.seconds = seconds();
    r.cost_microusd = result_.cost_microusd;
    r.ambiguous_microusd = result_.ambiguous_microusd;
    try {
      publish_report(campaign_->directory(arguments_.self), r);
    } catch (const std::exception& trouble) {
      log_.warning(std::string("report.json could not be written: ") + trouble.what());
    }
  }

  const StageArguments& arguments_;
  const StageProgram& stage_;
  mpi::Communicator& world_;
  const Log& log_;
  double launch_s_;
  double begun_s_ = monotonic_s();
  std::int64_t begun_ms_ = utc_ms();
  std::optional<Campaign> campaign_;
  Config config_;
  std::string job_;
  int attempt_ = 0;
  Admission admission_;
  Result result_;
};

// Seconds from the launcher's start (EVD_SPAWNED_MS, set by `evd run`) to a running MPI.
double launch_seconds() {
  const char* spawned = environment("EVD_SPAWNED_MS");
  if (spawned == nullptr) return 0;
  return std::max(0.0, static_cast<double>(utc_ms() - std::atoll(spawned)) / 1e3);
}

Config asked_config(const StageArguments& arguments) {
  if (!arguments.directory.empty())
    return effective_config(Campaign(arguments.directory), arguments);
  Config config;
  apply_settings(config, arguments.settings);
  return config;
}

int dump_config(const StageArguments& arguments, Speaks speaks, const Log& log) {
  try {
    const std::string text = to_toml(asked_config(arguments));
    if (speaks == Speaks::yes && !(std::cout << text << std::flush))
      throw IoError("write to standard output: it does not take any more");
    return 0;
  } catch (const Error& error) {
    if (speaks == Speaks::yes) log.error(error.what());
    return static_cast<int>(error.code());
  }
}

}  // namespace

shard::FileHeader Context::header() const {
  return {.campaign = campaign.id().hex(),
          .round = self.round,
          .stage = std::string(name(self.stage)),
          .created = iso8601(utc_ms())};
}

namespace {

struct MpiEnd {
  int rank = 0;
  int code = 0;
};

// Everything between MPI_Init and MPI_Finalize.
MpiEnd run_under_mpi(int& argc, char**& argv, const StageArguments& arguments,
                     const StageProgram& stage, std::optional<int> launched) {
  mpi::Environment mpi(argc, argv);
  auto world = mpi::Communicator::world();
  const Log log(std::string(name(stage.stage)), world.rank());
  if (const auto problem = launch_problem(launched, world.size())) {
    log.error(*problem);
    return {world.rank(), static_cast<int>(ExitCode::configuration)};
  }
  if (arguments.launch_probe) return {world.rank(), 0};
  fs::set_io_rank(world.rank());
  ExitCode code = ExitCode::done;
  try {
    code = Life(arguments, stage, world, log, launch_seconds()).run();
  } catch (const std::exception& error) {
    // The others may sit in a collective: no good order is possible any more.
    log.error(error.what());
    world.abort(static_cast<int>(exit_code(error)));
  }
  world.barrier();
  return {world.rank(), world.rank() == 0 ? static_cast<int>(code) : 0};
}

}  // namespace

int program(int argc, char** argv, const std::vector<StageProgram>& stages) {
  static_cast<void>(catch_stop_signals());
  const auto launched = launched_ranks(environment);
  const Speaks speaks = launched_rank(environment) == 0 ? Speaks::yes : Speaks::no;
  const auto command = parse_stage_command(argc, argv, stages, speaks);
  if (!command.arguments) return command.exit_code;
  const auto& arguments = *command.arguments;
  const auto& stage = stages[arguments.which];
  if (arguments.dump_config)
    return dump_config(arguments, speaks, Log(std::string(name(stage.stage)), 0));
  const auto [rank, code] = run_under_mpi(argc, argv, arguments, stage, launched);
  // One rank alone carries the code, and leaves last: a launcher that sees it kills the tasks that
  // are still there, and srun's code is the highest of all, deaths by signal included. Behind
  // MPI_Finalize nothing but time tells that the others have left.
  if (code != 0 && rank == 0) std::this_thread::sleep_for(std::chrono::milliseconds(200));
  return code;
}

}  // namespace evd::run
