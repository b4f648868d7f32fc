#pragma once

// Needs CUDA's headers: for the files *_gpu.cpp and *.cu only.
#include <string>
#include <string_view>

#include <cuda_runtime_api.h>

#include "core/error.hpp"

namespace evd::cuda {

/// InternalError naming the call and CUDA's reason.
inline void check(cudaError_t code, std::string_view call) {
  if (code == cudaSuccess) return;
  throw InternalError(std::string(call) + ": " + cudaGetErrorString(code));
}

}  // namespace evd::cuda
