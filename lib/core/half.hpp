#pragma once

#include <algorithm>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace evd {

/// Value of a float16 (IEEE 754 binary16). Without a branch, so that loops of it become vectors.
[[nodiscard]] inline float from_half(std::uint16_t bits) {
  // The exponents' biases differ by 112; small values that float16 denormalises come out right too.
  const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7fffU) << 13;
  auto value = std::bit_cast<std::uint32_t>(std::bit_cast<float>(magnitude) * 0x1p112F);
  value |= magnitude >= 0x0f800000U ? 0x7f800000U : 0U;  // infinite, or no number
  return std::bit_cast<float>(value | static_cast<std::uint32_t>(bits & 0x8000U) << 16);
}

/// Value of a bfloat16.
[[nodiscard]] inline float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

/// Appends the values of many. The vector grows by blocks that stay in the cache until they are
/// overwritten: filled with zeros at once, it would pass through memory twice.
template <class Convert>
void append_floats(std::vector<float>& values, std::span<const std::uint16_t> bits,
                   Convert convert) {
  constexpr std::size_t kBlock = 256;
  for (std::size_t done = 0; done < bits.size(); done += kBlock) {
    const auto block = bits.subspan(done, std::min(bits.size() - done, kBlock));
    values.resize(values.size() + block.size());
    std::transform(block.begin(), block.end(),
                   values.end() - static_cast<std::ptrdiff_t>(block.size()), convert);
  }
}

[[nodiscard]] inline std::vector<float> from_bfloat16s(std::span<const std::uint16_t> bits) {
  std::vector<float> values;
  values.reserve(bits.size());
  append_floats(values, bits, from_bfloat16);
  return values;
}

}  // namespace evd
