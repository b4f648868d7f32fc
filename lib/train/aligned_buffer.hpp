#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <new>
#include <span>

#include "cuda/device.hpp"

namespace evd::train {

/// Where a buffer lies. card: the host may touch it too, while the card does not work on it.
enum class Home : std::uint8_t { host, card };

/// Floats at a 64-byte boundary, zero at first. Move-only. Matrix products are fastest there, and
/// at small sizes their last bits depend on where their inputs lie.
class AlignedBuffer {
 public:
  explicit AlignedBuffer(std::size_t size, Home home = Home::host)
      : memory_(allocate(home == Home::card && size == 0 ? Home::host : home, size)), size_(size) {
    if (!memory_.get_deleter().on_card) std::ranges::fill(values(), 0.0F);
  }
  [[nodiscard]] std::span<float> values() { return {memory_.get(), size_}; }
  [[nodiscard]] std::span<const float> values() const { return {memory_.get(), size_}; }

 private:
  static constexpr std::align_val_t kAlignment{64};
  struct Free {
    bool on_card = false;
    void operator()(float* memory) const {
      if (on_card) {
        cuda::free_managed(memory);
      } else {
        ::operator delete[](memory, kAlignment);
      }
    }
  };
  static std::unique_ptr<float[], Free> allocate(Home home, std::size_t size) {
    const std::size_t bytes = size * sizeof(float);
    void* memory =
        home == Home::card ? cuda::allocate_managed(bytes) : ::operator new[](bytes, kAlignment);
    return {static_cast<float*>(memory), Free{home == Home::card}};
  }
  std::unique_ptr<float[], Free> memory_;
  std::size_t size_;
};

}  // namespace evd::train
