#include "train/memory_limit.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <sys/resource.h>
#include <unistd.h>

#include "cuda/device.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;
using Of = MemoryLimit::Of;

// cgroup version 1 says so large a number for "none".
constexpr double kNoLimit = 1e18;

std::optional<double> number_in(const stdfs::path& file) {
  std::ifstream in(file);
  double value = 0;
  if (in >> value) return value;
  return std::nullopt;
}

/// Value behind `key` in lines "key value" or "key: value kB".
std::optional<double> value_in(const stdfs::path& file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string word;
    double value = 0;
    if (words >> word >> value && word == key) return value;
  }
  return std::nullopt;
}

/// Path of this process's cgroup: that of version 2 (hierarchy 0), or of the memory controller.
std::optional<std::string> cgroup_of(const stdfs::path& proc, bool version2) {
  std::ifstream in(proc / "self" / "cgroup");
  for (std::string line; std::getline(in, line);) {
    const auto first = line.find(':');
    const auto second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",";
    const bool is_it =
        version2 ? line.starts_with("0::") : controllers.find(",memory,") != std::string::npos;
    if (is_it) return line.substr(second + 1);
  }
  return std::nullopt;
}

/// Pages of files can be dropped: they do not count as used.
void add_cgroup(std::vector<MemoryLimit>& limits, const stdfs::path& root, const std::string& path,
                const char* most, const char* used) {
  stdfs::path group = root / stdfs::path(path).relative_path();
  for (;;) {
    const auto limit = number_in(group / most);
    if (limit && *limit < kNoLimit) {
      const double in_use = number_in(group / used).value_or(0);
      const double files = value_in(group / "memory.stat", "inactive_file").value_or(0) +
                           value_in(group / "memory.stat", "active_file").value_or(0);
      limits.push_back({std::string("cgroup ") + most,
                        std::max(0.0, *limit - std::max(0.0, in_use - files)), Of::node});
    }
    if (group == root || !group.has_relative_path() || group.parent_path() == group) return;
    const auto above = group.parent_path();
    if (above.string().size() < root.string().size()) return;
    group = above;
  }
}

void add_slurm(std::vector<MemoryLimit>& limits,
               const std::function<const char*(const char*)>& environment) {
  const auto number = [&](const char* name) {
    const char* text = environment ? environment(name) : std::getenv(name);
    return text == nullptr ? 0.0 : std::atof(text);
  };
  // Both in MiB; 0 = all of the node.
  if (const double node = number("SLURM_MEM_PER_NODE"); node > 0) {
    limits.push_back({"SLURM_MEM_PER_NODE", node * 1048576, Of::node});
  }
  const double each = number("SLURM_MEM_PER_CPU");
  const double cpus = number("SLURM_CPUS_ON_NODE");
  if (each > 0 && cpus > 0) {
    limits.push_back({"SLURM_MEM_PER_CPU", each * cpus * 1048576, Of::node});
  }
}

void add_address_space(std::vector<MemoryLimit>& limits, const stdfs::path& proc) {
  rlimit limit{};
  if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY) return;
  const double pages = number_in(proc / "self" / "statm").value_or(0);
  const double mapped = pages * static_cast<double>(sysconf(_SC_PAGESIZE));
  limits.push_back({"RLIMIT_AS (ulimit -v)",
                    std::max(0.0, static_cast<double>(limit.rlim_cur) - mapped), Of::process});
}

}  // namespace

std::vector<MemoryLimit> memory_limits(const LimitSources& sources) {
  std::vector<MemoryLimit> limits;
  if (const auto kb = value_in(sources.proc / "meminfo", "MemAvailable:")) {
    limits.push_back({"MemAvailable", *kb * 1024, Of::node});
  }
  if (const auto path = cgroup_of(sources.proc, true)) {
    add_cgroup(limits, sources.cgroup, *path, "memory.max", "memory.current");
  }
  if (const auto path = cgroup_of(sources.proc, false)) {
    add_cgroup(limits, sources.cgroup / "memory", *path, "memory.limit_in_bytes",
               "memory.usage_in_bytes");
  }
  add_slurm(limits, sources.environment);
  add_address_space(limits, sources.proc);
  return limits;
}

std::vector<MemoryLimit> memory_limits(const nn::Engine& engine) {
  auto limits = memory_limits();
  if (engine.on_card()) {
    const auto card = cuda::facts();
    limits.push_back({"the card (" + card.name + ")", static_cast<double>(card.free_bytes),
                      MemoryLimit::Of::card});
  }
  return limits;
}

std::optional<MemoryLimit> least(const std::vector<MemoryLimit>& limits, Of of) {
  std::optional<MemoryLimit> found;
  for (const auto& limit : limits) {
    if (limit.of == of && (!found || limit.bytes < found->bytes)) found = limit;
  }
  return found;
}

}  // namespace evd::train
