#pragma once

#include <span>
#include <vector>

#include "mpi/communicator.hpp"
#include "shard/training_rows.hpp"
#include "train/batch.hpp"

namespace evd::train {

/// The visits of one step from the parts of all ranks, by place in the batch, on rank 0; empty
/// elsewhere. `losses`: of this rank's part, whose first sample has `first_place`. Collective.
[[nodiscard]] std::vector<shard::Visit> gather_visits(const Part& part,
                                                      std::span<const float> losses,
                                                      std::size_t first_place, std::int64_t step,
                                                      int round, const mpi::Communicator& world);

/// Mean loss by ten bins of the timestep, of what has a finite loss; a bin without samples is NaN.
[[nodiscard]] std::vector<double> loss_by_timestep(std::span<const shard::Visit> visits,
                                                   int timesteps);

}  // namespace evd::train
