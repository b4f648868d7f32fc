#pragma once

#include <functional>
#include <optional>
#include <string>

namespace evd::run {

using EnvironmentOf = std::function<const char*(const char* name)>;

/// Ranks that the launcher started, as its environment says; nothing without a launcher. To be
/// asked before MPI_Init, which sets such variables itself.
[[nodiscard]] std::optional<int> launched_ranks(const EnvironmentOf& environment);
/// The rank that the launcher gave this process, 0 without one: who speaks before MPI_Init.
[[nodiscard]] int launched_rank(const EnvironmentOf& environment);
/// Why `world_size` cannot be right: a launcher whose PMI the MPI library does not speak starts N
/// lone programs, each "rank 0 of 1", with exit code 0.
[[nodiscard]] std::optional<std::string> launch_problem(std::optional<int> launched,
                                                        int world_size);
/// "<Slurm job or host-pid>-<restart count>": unique per life of a job.
[[nodiscard]] std::string job_name(const EnvironmentOf& environment);

}  // namespace evd::run
