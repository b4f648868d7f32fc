#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "core/hash.hpp"

namespace evd::nn {

/// Element types of weight files, by the names of safetensors.
enum class TensorType : std::uint8_t { BOOL, U8, I8, I16, F16, BF16, I32, F32, F64, I64 };

[[nodiscard]] std::string_view name_of(TensorType type);
[[nodiscard]] std::size_t bytes_of(TensorType type);
/// The type of that name; nothing for one that is not read here.
[[nodiscard]] std::optional<TensorType> tensor_type(std::string_view name);

/// Little-endian elements as floats; F64 is rounded. DataError for whole numbers and truth values.
[[nodiscard]] std::vector<float> to_floats(Bytes elements, TensorType type);

}  // namespace evd::nn
