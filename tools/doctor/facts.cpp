#include "doctor/facts.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include "core/text.hpp"

namespace evd::probe {
namespace {

namespace stdfs = std::filesystem;

// Files below /proc and /sys have no size: read until they end. Empty when there is no such file.
std::string text_of(const stdfs::path& path) {
  std::ifstream file(path);
  const std::string text{std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>()};
  return std::string(trim(text));
}

template <class T>
std::optional<T> number(std::string_view text) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

template <class T>
void take_less(std::optional<T>& least, std::optional<T> other) {
  if (other && (!least || *other < *least)) least = other;
}

std::optional<int> variable(const char* name) {
  const char* text = std::getenv(name);
  return text == nullptr ? std::nullopt : number<int>(text);
}

// A set that is too small for the node's cores fails: then the machine's own number is not known
// to be ours.
int cores() {
  constexpr int kMost = 16'384;
  cpu_set_t* set = CPU_ALLOC(kMost);
  const std::size_t bytes = CPU_ALLOC_SIZE(kMost);
  CPU_ZERO_S(bytes, set);
  const int count = sched_getaffinity(0, bytes, set) == 0 ? CPU_COUNT_S(bytes, set) : 0;
  CPU_FREE(set);
  return count;
}

struct Limits {
  std::optional<double> cpus;
  std::optional<std::int64_t> memory_bytes;
};

// cpu.max holds "max 100000" or "200000 100000".
void read_version_2(const stdfs::path& group, Limits& limits) {
  const auto cpu = split(text_of(group / "cpu.max"), ' ');
  if (cpu.size() == 2)
    if (const auto quota = number<double>(cpu[0]), period = number<double>(cpu[1]);
        quota && period && *period > 0)
      take_less(limits.cpus, std::optional(*quota / *period));
  take_less(limits.memory_bytes, number<std::int64_t>(text_of(group / "memory.max")));
}

void read_version_1(const stdfs::path& group, Limits& limits) {
  const auto quota = number<double>(text_of(group / "cpu.cfs_quota_us"));
  const auto period = number<double>(text_of(group / "cpu.cfs_period_us"));
  if (quota && period && *quota > 0 && *period > 0)
    take_less(limits.cpus, std::optional(*quota / *period));
  // No limit is a number that no machine has.
  constexpr std::int64_t kNone = 1LL << 60;
  const auto memory = number<std::int64_t>(text_of(group / "memory.limit_in_bytes"));
  if (memory && *memory < kNone) take_less(limits.memory_bytes, memory);
}

// The least of the group that we are in and of all above it.
Limits control_group() {
  Limits limits;
  const stdfs::path root = "/sys/fs/cgroup";
  for (const auto& line : split(text_of("/proc/self/cgroup"), '\n')) {
    const auto fields = split(line, ':');
    if (fields.size() < 3) continue;
    const bool is_version_2 = fields[1].empty();
    const stdfs::path top = is_version_2 ? root : root / fields[1];
    for (auto below = stdfs::path(fields[2]).relative_path();; below = below.parent_path()) {
      is_version_2 ? read_version_2(top / below, limits) : read_version_1(top / below, limits);
      if (below.empty()) break;
    }
  }
  return limits;
}

std::optional<std::int64_t> memory_of_node() {
  for (const auto& line : split(text_of("/proc/meminfo"), '\n')) {
    if (!line.starts_with("MemTotal:")) continue;
    const auto words = split(trim(std::string_view(line).substr(9)), ' ');
    if (const auto kilobytes = number<std::int64_t>(words.front())) return *kilobytes * 1024;
  }
  return std::nullopt;
}

// /dev/nvidia0, /dev/nvidia1, ... A scheduler may leave the files there and forbid to open them.
void count_gpus(run::RankFacts& facts) {
  std::error_code none;
  for (const auto& entry : stdfs::directory_iterator("/dev", none)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with("nvidia") || !number<int>(std::string_view(name).substr(6))) continue;
    ++facts.gpus_present;
    const int device = ::open(entry.path().c_str(), O_RDWR | O_CLOEXEC);
    if (device < 0) continue;
    ++facts.gpus_usable;
    ::close(device);
  }
}

}  // namespace

run::RankFacts look_around() {
  run::RankFacts facts;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  facts.host = host.data();
  facts.cpus = cores();
  const Limits limits = control_group();
  facts.cpu_quota = limits.cpus;
  facts.memory_bytes = memory_of_node();
  facts.memory_limit_bytes = limits.memory_bytes;
  count_gpus(facts);
  if (const char* visible = std::getenv("CUDA_VISIBLE_DEVICES"); visible != nullptr)
    facts.cuda_visible_devices = visible;
  facts.slurm_ntasks = variable("SLURM_STEP_NUM_TASKS");
  if (!facts.slurm_ntasks) facts.slurm_ntasks = variable("SLURM_NTASKS");
  facts.slurm_cpus_per_task = variable("SLURM_CPUS_PER_TASK");
  return facts;
}

}  // namespace evd::probe
