#include "nn/device.hpp"

#include <cstdlib>

#include <ATen/Context.h>
#include <ATen/DeviceAccelerator.h>

#include "core/error.hpp"
#include "cuda/device.hpp"
#include "nn/device_tensors.hpp"

namespace evd::nn {

void require_device(const ComputeOptions& options) {
  if (options.device != DeviceKind::cuda || cuda::device_count() > 0) return;
  throw ConfigurationError(
      "compute.device = cuda, but there is no card (" + cuda::why_none() + "): " +
      (cuda::is_built_in()
           ? "ask for one (gpus_per_node or gpus_per_task in the site file), or set "
           : "build the preset cuda, or set ") +
      "compute.device=auto, which takes the processor then");
}

Engine choose_engine(const ComputeOptions& options, int local_rank) {
  Engine engine{-1, options.precision};
  if (options.device == DeviceKind::cpu) return engine;
  const int cards = cuda::device_count();
  require_device(options);
  if (cards == 0) return engine;
  engine.card = local_rank % cards;
  cuda::use_device(engine.card);
  auto& context = at::globalContext();
  context.setAllowTF32CuBLAS(false);
  context.setAllowTF32CuDNN(false);
  if (options.deterministic) {
    // cuBLAS reads it when its first handle is made; a user's own value stays.
    setenv("CUBLAS_WORKSPACE_CONFIG", ":4096:8", /*overwrite=*/0);
    context.setDeterministicCuDNN(true);
    // Not as warnings only: backward of attention then stays as it is. cuDNN's has no other way.
    context.setDeterministicAlgorithms(true, /*warn_only=*/false);
    context.setSDPUseCuDNN(false);
    context.setDeterministicFillUninitializedMemory(false);
  }
  return engine;
}

void release_cached(const Engine& engine) {
  if (engine.on_card()) at::accelerator::emptyCache();
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
