#pragma once

#include "mpi/communicator.hpp"

namespace evd::run {

/// Cores that each rank of this node may compute with: those that the node's ranks may run on
/// together, divided by their number, and never more than this rank's own, OMP_NUM_THREADS or
/// SLURM_CPUS_PER_TASK. At least 1. Collective.
[[nodiscard]] int cores_per_rank(const mpi::Communicator& node);

}  // namespace evd::run
