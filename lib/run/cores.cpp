#include "run/cores.hpp"

#include <algorithm>

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
  return std::clamp(std::stoi(count) / node.size(), 1, std::max(1, CPU_COUNT(&own)));
}

}  // namespace evd::run
