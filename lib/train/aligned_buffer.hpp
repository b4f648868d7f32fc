#pragma once

#include <algorithm>
#include <cstddef>
#include <memory>
#include <new>
#include <span>

namespace evd::train {

/// Floats at a 64-byte boundary, zero at first. Move-only. Matrix products are fastest there, and
/// at small sizes their last bits depend on where their inputs lie.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size)
      : memory_(static_cast<float*>(::operator new[](size * sizeof(float), kAlignment))),
        size_(size) {
    std::ranges::fill(values(), 0.0F);
  }
  [[nodiscard]] std::span<float> values() { return {memory_.get(), size_}; }
  [[nodiscard]] std::span<const float> values() const { return {memory_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    void operator()(float* memory) const { ::operator delete[](memory, kAlignment); }
  };
  std::unique_ptr<float[], Free> memory_;
  std::size_t size_;
};

}  // namespace evd::train
