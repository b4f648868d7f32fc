#pragma once

#include <bit>
#include <cstdint>
#include <span>
#include <vector>

namespace evd {

/// Value of a float16 (IEEE 754 binary16).
[[nodiscard]] inline float from_half(std::uint16_t bits) {
  const std::uint32_t magnitude = static_cast<std::uint32_t>(bits & 0x7fffU) << 13;
  // The exponents' biases differ by 112; small values that float16 denormalises come out right too.
  float value = std::bit_cast<float>(magnitude) * 0x1p112F;
  if ((bits & 0x7c00U) == 0x7c00U) value = std::bit_cast<float>(magnitude | 0x7f800000U);
  const auto sign = static_cast<std::uint32_t>(bits & 0x8000U) << 16;
  return std::bit_cast<float>(std::bit_cast<std::uint32_t>(value) | sign);
}

/// Value of a bfloat16.
[[nodiscard]] inline float from_bfloat16(std::uint16_t bits) {
  return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16);
}

[[nodiscard]] inline std::vector<float> from_halves(std::span<const std::uint16_t> bits) {
  std::vector<float> values(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) values[i] = from_half(bits[i]);
  return values;
}
[[nodiscard]] inline std::vector<float> from_bfloat16s(std::span<const std::uint16_t> bits) {
  std::vector<float> values(bits.size());
  for (std::size_t i = 0; i < bits.size(); ++i) values[i] = from_bfloat16(bits[i]);
  return values;
}

}  // namespace evd
