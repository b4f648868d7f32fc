#include "nn/vectors.hpp"

#include <algorithm>
#include <cstdlib>
#include <string_view>

namespace evd::nn {
namespace {

VectorWidth of_processor() {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
      __builtin_cpu_supports("avx512vl")) {
    return VectorWidth::avx512;
  }
  if (__builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma")) return VectorWidth::avx2;
#endif
  return VectorWidth::baseline;
}

VectorWidth allowed() {
  const char* text = std::getenv("EVD_VECTORS");
  if (text == nullptr) return VectorWidth::avx512;
  if (std::string_view(text) == "baseline") return VectorWidth::baseline;
  return std::string_view(text) == "avx2" ? VectorWidth::avx2 : VectorWidth::avx512;
}

}  // namespace

VectorWidth vector_width() {
  static const VectorWidth width = std::min(of_processor(), allowed());
  return width;
}

}  // namespace evd::nn
