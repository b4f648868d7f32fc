#include <array>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <random>

#include <nlohmann/json.hpp>
#include <pwd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "run/lease.hpp"

namespace evd::run {
namespace {

// Files under /proc have no size, so they are read until they end.
std::string proc_text(const std::filesystem::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return std::string(trim(text));
}

std::string link_target(const char* path) {
  std::error_code ignored;
  return std::filesystem::read_symlink(path, ignored).string();
}

// Field 22 of /proc/<pid>/stat; the name in field 2 may hold blanks and brackets.
std::optional<std::uint64_t> start_ticks_of(std::int64_t pid) {
  const std::string stat = proc_text("/proc/" + std::to_string(pid) + "/stat");
  const auto bracket = stat.rfind(')');
  if (bracket == std::string::npos) return std::nullopt;
  const auto fields = split(std::string_view(stat).substr(bracket + 2), ' ');
  if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") return std::nullopt;
  return std::strtoull(fields[19].c_str(), nullptr, 10);
}

std::optional<bool> squeue_knows(const std::string& job) {
  if (job.find_first_not_of("0123456789_") != std::string::npos) return std::nullopt;
  const std::string command = "squeue --noheader --jobs=" + job + " --format=%i 2>&1";
  FILE* pipe = ::popen(command.c_str(), "r");
  if (pipe == nullptr) return std::nullopt;
  std::string output;
  std::array<char, 512> buffer{};
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) output += buffer.data();
  const int status = ::pclose(pipe);
  if (status == 0) return !trim(output).empty();
  // Ended jobs are forgotten after minutes; any other failure says nothing about the job.
  if (output.find("Invalid job id") != std::string::npos) return false;
  return std::nullopt;
}

std::string user_name() {
  const passwd* entry = getpwuid(geteuid());
  return entry != nullptr ? entry->pw_name : std::to_string(geteuid());
}

std::string random_hex() {
  std::random_device device;
  std::array<std::uint8_t, 16> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return to_hex(bytes.data(), bytes.size());
}

std::string variable(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

}  // namespace

std::string to_json(const LeaseRecord& r) {
  const nlohmann::ordered_json json = {
      {"stage", r.stage},
      {"round", r.round},
      {"user", r.user},
      {"host", r.host},
      {"boot_id", r.boot_id},
      {"pid_namespace", r.pid_namespace},
      {"pid", r.pid},
      {"start_ticks", r.start_ticks},
      {"slurm_job", r.slurm_job},
      {"slurm_restart", r.slurm_restart},
      {"job", r.job},
      {"nonce", r.nonce},
      {"attempt", r.attempt},
      {"ranks", r.ranks},
      {"counter", r.counter},
      {"acquired_ms", r.acquired_ms},
      {"renewed_ms", r.renewed_ms},
      {"released", r.released},
  };
  return json.dump(2) + "\n";
}

std::optional<LeaseRecord> read_lease(const std::filesystem::path& path) {
  try {
    return lease_at(path);
  } catch (const IoError&) {
    return std::nullopt;
  }
}

std::optional<LeaseRecord> lease_at(const std::filesystem::path& path) {
  std::string text;
  for (int attempt = 0;; ++attempt) try {
      text = fs::read_text(path, 1 << 16);
      break;
    } catch (const DataError&) {
      return std::nullopt;  // too large to be one
    } catch (const IoError&) {
      std::error_code trouble;
      if (!std::filesystem::exists(path, trouble) && !trouble) return std::nullopt;
      // It may have come between the two looks.
      if (attempt > 1) throw;
    }
  try {
    const auto json = nlohmann::json::parse(text);
    LeaseRecord r;
    json.at("stage").get_to(r.stage);
    json.at("round").get_to(r.round);
    json.at("user").get_to(r.user);
    json.at("host").get_to(r.host);
    json.at("boot_id").get_to(r.boot_id);
    json.at("pid_namespace").get_to(r.pid_namespace);
    json.at("pid").get_to(r.pid);
    json.at("start_ticks").get_to(r.start_ticks);
    json.at("slurm_job").get_to(r.slurm_job);
    json.at("slurm_restart").get_to(r.slurm_restart);
    json.at("job").get_to(r.job);
    json.at("nonce").get_to(r.nonce);
    json.at("attempt").get_to(r.attempt);
    json.at("ranks").get_to(r.ranks);
    json.at("counter").get_to(r.counter);
    json.at("acquired_ms").get_to(r.acquired_ms);
    json.at("renewed_ms").get_to(r.renewed_ms);
    json.at("released").get_to(r.released);
    // It becomes part of a file name.
    if (r.nonce.size() != 32 || r.nonce.find_first_not_of("0123456789abcdef") != std::string::npos)
      return std::nullopt;
    if (r.round != kNoRound) static_cast<void>(ref_of(r));
    return r;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const ConfigurationError&) {
    return std::nullopt;  // no such stage
  }
}

StageRef ref_of(const LeaseRecord& record) {
  return {parse_enum<Stage>(record.stage, "stage"), record.round};
}

LeaseRecord lease_identity(const StageRef& ref, const std::string& job, int ranks) {
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  LeaseRecord r;
  r.stage = name(ref.stage);
  r.round = ref.round;
  r.user = user_name();
  r.host = host.data();
  r.boot_id = proc_text("/proc/sys/kernel/random/boot_id");
  r.pid_namespace = link_target("/proc/self/ns/pid");
  r.pid = getpid();
  r.start_ticks = start_ticks_of(r.pid).value_or(0);
  r.slurm_job = variable("SLURM_JOB_ID");
  r.slurm_restart = std::atoi(variable("SLURM_RESTART_COUNT").c_str());
  r.job = job;
  r.nonce = random_hex();
  r.ranks = ranks;
  return r;
}

LeaseProbes system_probes() { return {start_ticks_of, squeue_knows}; }

Liveness liveness(const LeaseRecord& other, const LeaseRecord& self, const LeaseProbes& probes) {
  if (other.released) return Liveness::gone;
  if (!other.boot_id.empty() && other.boot_id == self.boot_id &&
      other.pid_namespace == self.pid_namespace) {
    const auto ticks = probes.start_ticks_of(other.pid);
    return ticks && *ticks == other.start_ticks ? Liveness::alive : Liveness::gone;
  }
  if (other.slurm_job.empty()) return Liveness::unknown;
  if (other.slurm_job == self.slurm_job && self.slurm_restart > other.slurm_restart)
    return Liveness::gone;
  if (const auto known = probes.squeue_knows(other.slurm_job); known && !*known)
    return Liveness::gone;
  return Liveness::unknown;
}

std::string describe(const LeaseRecord& r) {
  return r.user + " on " + r.host + " (process " + std::to_string(r.pid) + ", job " + r.job +
         ") since " + iso8601(r.acquired_ms);
}

}  // namespace evd::run
