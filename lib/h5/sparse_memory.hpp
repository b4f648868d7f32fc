#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "h5/handle.hpp"

namespace evd::h5 {

/// Memory that an HDF5 file is built in. What HDF5 allots and never writes costs nothing: HDF5's
/// own memory driver clears it, which for pictures means to touch the whole file once more.
class SparseMemory {
 public:
  SparseMemory() = default;
  ~SparseMemory();
  SparseMemory(SparseMemory&& other) noexcept;
  SparseMemory& operator=(SparseMemory&& other) noexcept;

  /// From the beginning to the end of the file; what was never written is zero.
  [[nodiscard]] std::span<std::byte> bytes() const { return {data_, size_}; }
  /// Makes the file this long; false when there is no memory.
  [[nodiscard]] bool resize(std::uint64_t bytes);

 private:
  std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::size_t capacity_ = 0;
};

/// Properties of file access that make H5Fcreate build the file in `memory`, which must live until
/// the file is closed.
[[nodiscard]] Handle access_to(SparseMemory& memory, const Place& place);

}  // namespace evd::h5
