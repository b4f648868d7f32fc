#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "mpi/communicator.hpp"
#include "run/campaign.hpp"
#include "run/progress.hpp"
#include "run/stage_result.hpp"
#include "shard/manifest.hpp"

namespace CLI {
class App;
}

namespace evd::run {

/// What is asked of a stage that has a result; `stale` = again, if it is stale or damaged.
enum class Rerun : std::uint8_t { no, again, failed, fresh, stale };

/// What a stage is given. The shell has checked that its inputs are finished and not stale, holds
/// the lease, and has made `directory` (which may hold finished parts of a killed attempt).
struct Context {
  const Campaign& campaign;
  const Config& config;  ///< effective for this round
  StageRef self;
  int attempt = 1;  ///< stands in every published name's header
  Rerun rerun = Rerun::no;
  bool accept_partial = false;
  std::filesystem::path directory;  ///< where to publish
  std::string job;                  ///< unique per life: <job id or host-pid>-<restart>
  const Log& log;
  const std::atomic<bool>& stop;  ///< SIGTERM or SIGUSR1 came: save, then all ranks throw Stopped
  Progress& progress;
  mpi::Communicator& world;

  [[nodiscard]] shard::FileHeader header() const;
};

/// One stage that a program can do.
struct StageProgram {
  Stage stage;
  std::string summary;  ///< for --help
  std::function<Result(Context&)> run;
  /// Options of the program that are no stage's; nothing = none.
  std::function<void(CLI::App&)> more_options = nullptr;
  /// Called on rank 0 before anything is set aside or begun; throws what this machine cannot do.
  std::function<void(const Config&)> check = nullptr;
};

/// The whole of a stage program's main: arguments (`DIR --round N | --start
/// [--rerun[=failed|fresh|stale]]
/// [--accept-partial] [--set key=value] [--dump-config]`), MPI guard and world size check,
/// campaign, lease, input check, signals, progress, `run`, manifest, report, exit code. A program
/// of two stages (judge and score) passes both; `--score` picks the second.
///
/// `run` is called on every rank. When it throws on one of them, that rank says `rank N: what`,
/// writes report.json and ends the whole job with the error's code; the others may sit in a
/// collective. Stopped is thrown by all ranks (they agree on the stop flag among themselves) and
/// ends in 75.
[[nodiscard]] int program(int argc, char** argv, const std::vector<StageProgram>& stages);

}  // namespace evd::run
