#pragma once

#include <vector>

#include "mpi/communicator.hpp"

namespace evd::train {

/// Where a rank lies: its number within its node, and the node's number.
struct Place {
  int local = 0;
  int node = 0;
};

/// The ranks of a job as nodes of equally many ranks. `local` are those that share this node's
/// memory, `across` those that have this rank's local number on every node. Where nodes hold
/// different numbers of ranks, each rank counts as a node of its own.
class RankGrid {
 public:
  /// Collective. `node` is what world.node() gave; `world` must outlive it.
  RankGrid(const mpi::Communicator& world, const mpi::Communicator& node);

  [[nodiscard]] const mpi::Communicator& world() const { return world_; }
  [[nodiscard]] const mpi::Communicator& local() const { return local_; }
  [[nodiscard]] const mpi::Communicator& across() const { return across_; }
  [[nodiscard]] Place place() const { return {local_.rank(), across_.rank()}; }
  [[nodiscard]] Place place_of(int world_rank) const {
    return places_.at(static_cast<std::size_t>(world_rank));
  }

 private:
  const mpi::Communicator& world_;
  mpi::Communicator local_;
  mpi::Communicator across_;
  std::vector<Place> places_;  // by world rank
};

}  // namespace evd::train
