#include "cuda/check.hpp"
#include "cuda/device.hpp"

namespace evd::cuda {
namespace {

// LibTorch computes on the legacy default stream, and so does everything here.
constexpr cudaStream_t kStream = nullptr;

cudaMemLocation here() {
  int index = 0;
  check(cudaGetDevice(&index), "cudaGetDevice");
  return {cudaMemLocationTypeDevice, index};
}

}  // namespace

bool is_built_in() { return true; }

int device_count() {
  int count = 0;
  if (cudaGetDeviceCount(&count) != cudaSuccess) {
    static_cast<void>(cudaGetLastError());  // else the next call would tell of it once more
    return 0;
  }
  return count;
}

std::string why_none() {
  int count = 0;
  const cudaError_t code = cudaGetDeviceCount(&count);
  static_cast<void>(cudaGetLastError());
  if (code == cudaSuccess) return "the driver knows of no card";
  if (code == cudaErrorInsufficientDriver) {
    return "no driver of NVIDIA's is here, or one older than CUDA 13.0 wants";
  }
  return cudaGetErrorString(code);
}

void use_device(int index) { check(cudaSetDevice(index), "cudaSetDevice"); }

DeviceFacts facts() {
  int index = 0;
  check(cudaGetDevice(&index), "cudaGetDevice");
  cudaDeviceProp properties{};
  check(cudaGetDeviceProperties(&properties, index), "cudaGetDeviceProperties");
  DeviceFacts facts;
  facts.name = properties.name;
  for (const char byte : properties.uuid.bytes) {
    constexpr const char* kDigits = "0123456789abcdef";
    const auto value = static_cast<unsigned char>(byte);
    facts.uuid += kDigits[value >> 4];
    facts.uuid += kDigits[value & 15];
  }
  check(cudaMemGetInfo(&facts.free_bytes, &facts.total_bytes), "cudaMemGetInfo");
  return facts;
}

void synchronize() { check(cudaDeviceSynchronize(), "cudaDeviceSynchronize"); }

void* allocate_managed(std::size_t bytes) {
  void* memory = nullptr;
  check(cudaMallocManaged(&memory, bytes), "cudaMallocManaged");
  // Advice only: where a system does not take it, pages still go where they are used.
  static_cast<void>(cudaMemAdvise(memory, bytes, cudaMemAdviseSetPreferredLocation, here()));
  static_cast<void>(cudaGetLastError());
  check(cudaMemsetAsync(memory, 0, bytes, kStream), "cudaMemsetAsync");
  check(cudaStreamSynchronize(kStream), "cudaStreamSynchronize");
  return memory;
}

void free_managed(void* memory) noexcept { static_cast<void>(cudaFree(memory)); }

void copy(void* to, const void* from, std::size_t bytes) {
  check(cudaMemcpyAsync(to, from, bytes, cudaMemcpyDefault, kStream), "cudaMemcpyAsync");
  check(cudaStreamSynchronize(kStream), "cudaStreamSynchronize");
}

}  // namespace evd::cuda
