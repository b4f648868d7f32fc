#include "nn/tensor_type.hpp"

#include <array>
#include <bit>
#include <cstring>
#include <string>

#include "core/error.hpp"

namespace evd::nn {
namespace {

static_assert(std::endian::native == std::endian::little);

struct Description {
  std::string_view name;
  std::size_t bytes;
};

// In the order of the enumeration.
constexpr std::array<Description, 10> kTypes = {{{"BOOL", 1},
                                                 {"U8", 1},
                                                 {"I8", 1},
                                                 {"I16", 2},
                                                 {"F16", 2},
                                                 {"BF16", 2},
                                                 {"I32", 4},
                                                 {"F32", 4},
                                                 {"F64", 8},
                                                 {"I64", 8}}};

float from_half(std::uint16_t half) {
  const std::uint32_t sign = std::uint32_t{half & 0x8000U} << 16;
  const std::uint32_t exponent = half >> 10 & 0x1FU;
  const std::uint32_t fraction = half & 0x3FFU;
  if (exponent == 0) {
    const float value = static_cast<float>(fraction) * 0x1.0p-24F;
    return sign != 0 ? -value : value;
  }
  const std::uint32_t wide = exponent == 31 ? 255 : exponent + 112;
  return std::bit_cast<float>(sign | wide << 23 | fraction << 13);
}

template <class Element, class Convert>
std::vector<float> convert_all(Bytes elements, Convert convert) {
  std::vector<float> values(elements.size() / sizeof(Element));
  for (std::size_t i = 0; i < values.size(); ++i) {
    Element element;
    std::memcpy(&element, elements.data() + i * sizeof element, sizeof element);
    values[i] = convert(element);
  }
  return values;
}

}  // namespace

std::string_view name_of(TensorType type) { return kTypes[static_cast<std::size_t>(type)].name; }

std::size_t bytes_of(TensorType type) { return kTypes[static_cast<std::size_t>(type)].bytes; }

std::optional<TensorType> tensor_type(std::string_view name) {
  for (std::size_t i = 0; i < kTypes.size(); ++i)
    if (kTypes[i].name == name) return static_cast<TensorType>(i);
  return std::nullopt;
}

std::vector<float> to_floats(Bytes elements, TensorType type) {
  switch (type) {
    case TensorType::F32:
      return convert_all<float>(elements, [](float value) { return value; });
    case TensorType::F64:
      return convert_all<double>(elements, [](double value) { return static_cast<float>(value); });
    case TensorType::F16:
      return convert_all<std::uint16_t>(elements, from_half);
    case TensorType::BF16:
      return convert_all<std::uint16_t>(elements, [](std::uint16_t raw) {
        return std::bit_cast<float>(std::uint32_t{raw} << 16);
      });
    default:
      throw DataError("elements are " + std::string(name_of(type)) +
                      " (F64, F32, F16 and BF16 are read as weights)");
  }
}

}  // namespace evd::nn
