#include "doctor_launch.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <thread>

#include <unistd.h>

#include "capture.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "site.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

constexpr const char* kTime = "00:06:00";  // evd-probe gives up after five
constexpr double kLogPatience_s = 60;      // until another node's last line is seen here
constexpr const char* kLastLine = "evd-probe ended with code ";  // as slurm/probe.sbatch writes it

[[noreturn]] void stop() { throw Stopped("stopped; nothing was changed"); }

// A file outside the directory that is looked at: that may be full.
class OutputFile {
 public:
  OutputFile() {
    std::string name = (stdfs::temp_directory_path() / "evd-doctor-XXXXXX").string();
    const int file = ::mkstemp(name.data());
    if (file < 0) throw_errno("make a file for the output", name);
    ::close(file);
    path_ = name;
  }
  ~OutputFile() {
    std::error_code ignored;
    stdfs::remove(path_, ignored);
  }
  OutputFile(const OutputFile&) = delete;
  OutputFile& operator=(const OutputFile&) = delete;
  [[nodiscard]] const stdfs::path& path() const { return path_; }

 private:
  stdfs::path path_;
};

std::string submit(const std::vector<std::string>& command) {
  const auto said = capture(command);
  const std::string id(trim(split(said.out, ';').front()));
  if (said.code == 0 && !id.empty() && id.find_first_not_of("0123456789") == std::string::npos)
    return id;
  throw ConfigurationError("sbatch did not take the job: " +
                           join(split(trim(said.err + said.out), '\n'), " / "));
}

// "PENDING (Resources)"; empty once it has ended.
std::string state_of(const std::string& job) {
  const auto said = capture({"squeue", "--noheader", "--jobs=" + job, "--format=%T (%r)"});
  if (said.code == 0) return std::string(trim(said.out));
  if (said.err.find("Invalid job id") != std::string::npos) return "";
  return "unknown (squeue does not answer)";
}

void wait_for(JobRunner& runner, const std::string& job) {
  std::string before;
  for (std::string now = state_of(job); !now.empty(); now = state_of(job)) {
    if (now != before) std::cerr << "evd: job " << job << ": " << lower_ascii(now) << "\n";
    before = now;
    for (int i = 0; i < 5; ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
      if (!runner.take_stop()) continue;
      static_cast<void>(capture({"scancel", job}));
      stop();
    }
  }
}

}  // namespace

ProbeDirectory::ProbeDirectory(const stdfs::path& parent)
    : path_(parent / (".evd-doctor-" + std::to_string(utc_ms()) + "-" + std::to_string(getpid()))) {
  fs::make_directory(path_);
}

ProbeDirectory::~ProbeDirectory() {
  std::error_code ignored;
  stdfs::remove_all(path_, ignored);
}

ProbeRun probe_here(JobRunner& runner, int ranks, const stdfs::path& directory) {
  const OutputFile output;
  const auto end =
      runner.run({.command = launch_command(
                      ranks, {sibling_program("evd-probe").string(), directory.string()}),
                  .environment = {},
                  .log = output.path(),
                  .every = {}});
  if (end.told_to_stop) stop();
  return {end.code, fs::read_text(output.path())};
}

ProbeRun probe_by_slurm(JobRunner& runner, const SiteChoice& choice, run::Stage stage,
                        const stdfs::path& directory) {
  fs::publish(directory / "site.toml", choice.text);
  std::vector<std::string> command = {"sbatch", "--parsable", "--no-requeue",
                                      "--output=" + (directory / "job.log").string()};
  for (auto& option : choice.site.sbatch_options(stage)) command.push_back(std::move(option));
  command.push_back(std::string("--time=") + kTime);
  command.push_back(choice.site.value("prefix") + "/share/evolvedirector/slurm/probe.sbatch");
  command.push_back(directory.string());
  const std::string job = submit(command);
  std::cerr << "evd: job " << job << " looks around on the ranks of [" << name(stage)
            << "] (Ctrl-C cancels it)\n";
  wait_for(runner, job);
  ProbeRun run{.code = 1};
  const double begun_s = monotonic_s();
  do {
    std::error_code none;
    if (stdfs::exists(directory / "job.log", none))
      run.output = fs::read_text(directory / "job.log");
    if (const auto at = run.output.rfind(kLastLine); at != std::string::npos) {
      run.code = std::atoi(run.output.c_str() + at + std::string_view(kLastLine).size());
      break;
    }
    if (runner.take_stop()) stop();
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  } while (monotonic_s() - begun_s < kLogPatience_s);
  return run;
}

}  // namespace evd::hands
