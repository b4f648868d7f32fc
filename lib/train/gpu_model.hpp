#pragma once

#include <span>
#include <string_view>

namespace evd::train {

/// A card by its vendor's data sheet.
struct GpuModel {
  std::string_view name;
  double tflops;        ///< dense bf16 matrix products, fp32 accumulation
  double memory_bytes;  ///< of the card
};

/// The cards that --plan knows.
[[nodiscard]] std::span<const GpuModel> gpu_models();
/// ConfigurationError that lists them otherwise.
[[nodiscard]] const GpuModel& find_gpu(std::string_view name);

}  // namespace evd::train
