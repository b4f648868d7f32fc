#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>

#include "mpi/communicator.hpp"

namespace evd::nccl {

/// Where buffers lie that are exchanged.
enum class Memory : std::uint8_t { host, card };

/// What ranks exchange of flat buffers that are cut into one part of equal length per rank, in rank
/// order. All ranks call the same functions in the same order; buffers stay where they are until
/// join(). One thread at a time.
class Collectives {
 public:
  virtual ~Collectives() = default;
  Collectives() = default;
  Collectives(const Collectives&) = delete;
  Collectives& operator=(const Collectives&) = delete;

  /// Whether what is started goes on by itself, and may be started by a thread that must not call
  /// MPI. Without it everything happens within the calls.
  [[nodiscard]] virtual bool goes_on_by_itself() const = 0;
  /// Sums over the ranks: `send` has ranks * count elements, of which rank r's `receive` gets
  /// [r count, (r + 1) count). Begins behind what the card was given before.
  virtual void reduce_scatter(const float* send, float* receive, std::size_t count) = 0;
  /// `receive` gets ranks * bytes: the `send` of each rank, in rank order. Whole floats.
  virtual void all_gather(const void* send, void* receive, std::size_t bytes) = 0;
  /// What the card is given from now on finds the results; on the host they are there.
  virtual void join() = 0;
  /// "NCCL 2.28.9", "MPI".
  [[nodiscard]] virtual std::string name() const = 0;
};

/// Over MPI: buffers of a card pass through the host.
[[nodiscard]] std::unique_ptr<Collectives> over_mpi(const mpi::Communicator& world, Memory memory);
/// Over NCCL, each rank with a card of its own (the calling thread's); over MPI where there is no
/// NCCL, or where ranks share a card, which NCCL refuses. Collective. InternalError when the ranks
/// have not found each other after `patience_s`.
[[nodiscard]] std::unique_ptr<Collectives> between_cards(const mpi::Communicator& world,
                                                         double patience_s);

}  // namespace evd::nccl
