#pragma once

#include <list>
#include <vector>

#include <mpi.h>

#include "mpi/communicator.hpp"

namespace evd::mpi {

/// A message that MPI still reads from.
struct PendingSend {
  std::vector<std::byte> bytes;
  MPI_Request request = MPI_REQUEST_NULL;
};

/// What stands behind a Communicator; inside this room only.
struct Communicator::State {
  MPI_Comm comm = MPI_COMM_NULL;
  bool owned = false;  ///< MPI_COMM_WORLD is not ours to free
  int rank = 0;
  int size = 1;
  std::list<PendingSend> sends;

  State(MPI_Comm handle, bool own);
  ~State();
  State(const State&) = delete;
  State& operator=(const State&) = delete;

  /// Forgets the sends that are complete.
  void complete_sends();
};

struct Request::State {
  MPI_Request request = MPI_REQUEST_NULL;
  std::vector<int> counts;  ///< MPI reads both until it is done
  std::vector<int> places;
};

}  // namespace evd::mpi
