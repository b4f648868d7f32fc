#include "nn/device.hpp"

#include <cstdlib>

#include <ATen/Context.h>

#include "core/error.hpp"
#include "cuda/device.hpp"
#include "nn/device_tensors.hpp"

namespace evd::nn {

Engine choose_engine(const ComputeOptions& options, int local_rank) {
  Engine engine{-1, options.precision};
  if (options.device == DeviceKind::cpu) return engine;
  const int cards = cuda::device_count();
  if (cards == 0) {
    if (options.device == DeviceKind::automatic) return engine;
    throw ConfigurationError("compute.device = cuda, but there is no card (" + cuda::why_none() +
                             "): ask for one (gpus in the site file), or set "
                             "compute.device=auto, which takes the processor then");
  }
  engine.card = local_rank % cards;
  cuda::use_device(engine.card);
  auto& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  if (options.deterministic) {
    // cuBLAS reads it when its first handle is made; a user's own value stays.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    context.setDeterministicCuDNN(true);
    context.setDeterministicAlgorithms(true, /*warn_only=*/true);
    context.setDeterministicFillUninitializedMemory(false);
  }
  return engine;
}

std::string device_name(const Engine& engine) {
  return engine.on_card() ? cuda::facts().name : "cpu";
}

at::Device device_of(const Engine& engine) {
  if (!engine.on_card()) return at::Device(at::kCPU);
  return {at::kCUDA, static_cast<c10::DeviceIndex>(engine.card)};
}

at::TensorOptions options_of(const Engine& engine) {
  return at::TensorOptions(device_of(engine))
      .dtype(engine.precision == Precision::bfloat16 ? at::kBFloat16 : at::kFloat);
}

}  // namespace evd::nn
