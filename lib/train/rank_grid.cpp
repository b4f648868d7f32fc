#include "train/rank_grid.hpp"

namespace evd::train {
namespace {

// Asked of all ranks: a node may hold a single one while another holds the rest.
bool has_even_nodes(const mpi::Communicator& world, const mpi::Communicator& node) {
  const auto ranks = std::int64_t{node.size()};
  return world.all_reduce(ranks, mpi::Reduce::min) == world.all_reduce(ranks, mpi::Reduce::max);
}

std::vector<Place> places_of_all(const mpi::Communicator& world, Place own) {
  std::vector<double> flat(static_cast<std::size_t>(world.size()) * 2);
  const auto at = static_cast<std::size_t>(world.rank()) * 2;
  flat[at] = own.local;
  flat[at + 1] = own.node;
  world.all_reduce(flat, mpi::Reduce::sum);
  std::vector<Place> places;
  for (std::size_t i = 0; i < flat.size(); i += 2) {
    places.push_back({static_cast<int>(flat[i]), static_cast<int>(flat[i + 1])});
  }
  return places;
}

}  // namespace

RankGrid::RankGrid(const mpi::Communicator& world, const mpi::Communicator& node)
    : world_(world),
      local_(has_even_nodes(world, node) ? node.duplicate() : world.split(world.rank())),
      across_(world.split(local_.rank())),
      places_(places_of_all(world, place())) {}

}  // namespace evd::train
