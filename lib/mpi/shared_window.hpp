#pragma once

#include <cstddef>
#include <memory>
#include <span>

#include "mpi/communicator.hpp"

namespace evd::mpi {

/// Memory that the ranks of one node share: every rank owns a part and reads and writes the parts
/// of all. A direct sum in it is ten times faster than MPI's reduction there (125 MB, 2 ranks: 9 ms
/// against 83 to 172 ms). It never crosses nodes, where one-sided MPI fails or stalls.
class SharedWindow {
 public:
  /// Collective. `node` is what Communicator::node() gave; it must outlive the window. This rank's
  /// part has `bytes` bytes, zeroed, aligned to 64. Parts may differ in size.
  SharedWindow(const Communicator& node, std::size_t bytes);
  /// Collective, except while an exception unwinds: then the memory is left to the process's end.
  ~SharedWindow();
  SharedWindow(SharedWindow&&) noexcept;
  SharedWindow& operator=(SharedWindow&&) noexcept;

  [[nodiscard]] std::span<std::byte> part(int rank) const;

  /// Collective: what any rank wrote before it, every rank reads after it.
  void fence() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::mpi
