#include "nn/weight_tensor.hpp"

#include <cstdint>

#include <ATen/ops/from_blob.h>

#include "core/error.hpp"

namespace evd::nn {
namespace {

at::ScalarType scalar_type(TensorType type) {
  switch (type) {
    case TensorType::BOOL:
      return at::kBool;
    case TensorType::U8:
      return at::kByte;
    case TensorType::I8:
      return at::kChar;
    case TensorType::I16:
      return at::kShort;
    case TensorType::F16:
      return at::kHalf;
    case TensorType::BF16:
      return at::kBFloat16;
    case TensorType::I32:
      return at::kInt;
    case TensorType::F32:
      return at::kFloat;
    case TensorType::F64:
      return at::kDouble;
    case TensorType::I64:
      return at::kLong;
  }
  throw InternalError("a tensor type without a name");
}

}  // namespace

at::Tensor view_of(const WeightTensor& tensor) {
  auto* data = const_cast<std::byte*>(tensor.elements.data());  // from_blob has no const form
  if (reinterpret_cast<std::uintptr_t>(data) % bytes_of(tensor.type) != 0) {
    throw InternalError("a tensor does not lie at a multiple of its element size");
  }
  return at::from_blob(data, tensor.shape, scalar_type(tensor.type));
}

at::Tensor copy_of(const WeightTensor& tensor, at::ScalarType dtype) {
  return view_of(tensor).to(dtype, /*non_blocking=*/false, /*copy=*/true);
}

}  // namespace evd::nn
