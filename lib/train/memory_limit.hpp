#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "nn/device.hpp"

namespace evd::train {

/// How much memory something still allows.
struct MemoryLimit {
  enum class Of { node, process, card };
  std::string name;  ///< "cgroup memory.max", "RLIMIT_AS", ...
  double bytes = 0;  ///< that may still be taken
  Of of = Of::node;
};

/// Where limits are read; a test names other places.
struct LimitSources {
  std::filesystem::path proc = "/proc";
  std::filesystem::path cgroup = "/sys/fs/cgroup";
  std::function<const char*(const char*)> environment;  ///< std::getenv when empty
};

/// Every limit that is set: MemAvailable, the cgroups that this process is in (versions 1 and 2, up
/// to the root), what Slurm gave the job on this node, and RLIMIT_AS. What cannot be read is left
/// out.
[[nodiscard]] std::vector<MemoryLimit> memory_limits(const LimitSources& sources = {});

/// The same, and what the engine's card has free.
[[nodiscard]] std::vector<MemoryLimit> memory_limits(const nn::Engine& engine);

/// The least of one kind; nothing when there is none.
[[nodiscard]] std::optional<MemoryLimit> least(const std::vector<MemoryLimit>& limits,
                                               MemoryLimit::Of of);

}  // namespace evd::train
