#include "run/launch.hpp"

#include <array>
#include <charconv>
#include <string>
#include <string_view>

#include <unistd.h>

namespace evd::run {
namespace {

std::optional<int> number(const char* text) {
  if (text == nullptr) return std::nullopt;
  const std::string_view view(text);
  int value = 0;
  const auto [end, error] = std::from_chars(view.data(), view.data() + view.size(), value);
  if (error != std::errc{} || end != view.data() + view.size()) return std::nullopt;
  return value;
}

}  // namespace

std::optional<int> launched_ranks(const EnvironmentOf& environment) {
  // mpirun's own variables first: inside an allocation its daemons carry Slurm's counts of daemons.
  for (const char* name : {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"})
    if (const auto size = number(environment(name))) return size;
  return number(environment("SLURM_STEP_NUM_TASKS"));
}

int launched_rank(const EnvironmentOf& environment) {
  for (const char* name : {"OMPI_COMM_WORLD_RANK", "PMIX_RANK", "PMI_RANK", "SLURM_PROCID"})
    if (const auto rank = number(environment(name))) return *rank;
  return 0;
}

std::optional<std::string> launch_problem(std::optional<int> launched, int world_size) {
  if (!launched || *launched == world_size) return std::nullopt;
  return "started as one of " + std::to_string(*launched) + " tasks, but MPI sees " +
         std::to_string(world_size) + " rank" + (world_size == 1 ? "" : "s") +
         " (the launcher and this MPI do not understand each other); try srun --mpi=pmix, "
         "`srun --mpi=list` shows the choices, or start it by mpirun";
}

std::string job_name(const EnvironmentOf& environment) {
  const char* restart = environment("SLURM_RESTART_COUNT");
  const std::string life = restart != nullptr ? restart : "0";
  if (const char* job = environment("SLURM_JOB_ID"); job != nullptr)
    return std::string(job) + "-" + life;
  std::array<char, 256> host{};
  gethostname(host.data(), host.size() - 1);
  std::string name(host.data());
  return name.substr(0, name.find('.')) + "-" + std::to_string(getpid()) + "-" + life;
}

}  // namespace evd::run
