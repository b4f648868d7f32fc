#pragma once

#include <cstddef>
#include <memory>
#include <span>
#include <vector>

#include "mpi/communicator.hpp"

namespace evd::train {

/// A stretch [begin, end) of the flat gradient buffer that is reduced as one piece.
struct Bucket {
  std::size_t begin = 0;
  std::size_t end = 0;
};

/// Sums the ranks' gradient buffers while backward is still filling them. One step is:
/// begin(); fill gradients(), calling ready(i) once per bucket, in any order; finish().
/// Equal inputs give equal bits at equal world size and equal placement of ranks on nodes: inside a
/// node sums are taken in rank order, between nodes in MPI's, which goes by the placement and is
/// free to differ between libraries and settings. One thread. A device collective (NCCL) is one
/// more implementation.
class Reducer {
 public:
  virtual ~Reducer() = default;
  /// Where this rank's gradients accumulate; the same memory for the reducer's whole life.
  [[nodiscard]] virtual std::span<float> gradients() = 0;
  /// Zeroes gradients().
  virtual void begin() = 0;
  /// Bucket `index` of this rank holds its final values.
  virtual void ready(std::size_t index) = 0;
  /// Waits for all buckets of all ranks; the sums, valid until the next ready().
  [[nodiscard]] virtual std::span<const float> finish() = 0;
};

/// The reducer for the ranks of `world`: none for one rank, shared memory on one node, overlapped
/// MPI reductions between nodes. Collective. Both communicators must outlive it.
[[nodiscard]] std::unique_ptr<Reducer> make_reducer(const mpi::Communicator& world,
                                                    const mpi::Communicator& node, std::size_t size,
                                                    std::vector<Bucket> buckets);

/// One rank: the gradients are the sum.
[[nodiscard]] std::unique_ptr<Reducer> make_local_reducer(std::size_t size);
/// All ranks on one node: each sums its part of a bucket straight from the others' buffers.
[[nodiscard]] std::unique_ptr<Reducer> make_window_reducer(const mpi::Communicator& node,
                                                           std::size_t size,
                                                           std::vector<Bucket> buckets);
/// Any ranks: a non-blocking all-reduce per bucket, in the order that MPI chooses.
[[nodiscard]] std::unique_ptr<Reducer> make_mpi_reducer(const mpi::Communicator& world,
                                                        std::size_t size,
                                                        std::vector<Bucket> buckets);

}  // namespace evd::train
