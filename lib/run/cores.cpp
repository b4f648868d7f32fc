#include "run/cores.hpp"

#include <algorithm>
#include <cstdlib>

#include <sched.h>

namespace evd::run {
namespace {

cpu_set_t own_cores() {
  cpu_set_t cores;
  CPU_ZERO(&cores);
  // Fails on nodes with more cores than the set can name: then one thread is safe.
  if (sched_getaffinity(0, sizeof cores, &cores) != 0) CPU_SET(0, &cores);
  return cores;
}

// A scheduler that does not bind its tasks says only here what they may use.
int most_threads() {
  int most = CPU_SETSIZE;
  for (const char* name : {"OMP_NUM_THREADS", "SLURM_CPUS_PER_TASK"})
    if (const char* text = std::getenv(name); text != nullptr && std::atoi(text) > 0)
      most = std::min(most, std::atoi(text));
  return most;
}

}  // namespace

int cores_per_rank(const mpi::Communicator& node) {
  const cpu_set_t own = own_cores();
  cpu_set_t all;
  CPU_ZERO(&all);
  for (const auto& bytes : node.gather(std::as_bytes(std::span(&own, 1)), 0)) {
    cpu_set_t other;
    std::copy_n(bytes.data(), sizeof other, reinterpret_cast<std::byte*>(&other));
    CPU_OR(&all, &all, &other);
  }
  const std::string count = node.broadcast(std::to_string(CPU_COUNT(&all)), 0);
  const int most = std::max(1, std::min(CPU_COUNT(&own), most_threads()));
  return std::clamp(std::stoi(count) / node.size(), 1, most);
}

}  // namespace evd::run
