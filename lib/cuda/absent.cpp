// For programs without CUDA: there is no card. lib/cuda/device_gpu.cpp takes its place elsewhere.
#include "core/error.hpp"
#include "cuda/device.hpp"

namespace evd::cuda {
namespace {

[[noreturn]] void refuse() { throw InternalError("CUDA was called in a program without it"); }

}  // namespace

bool is_built_in() { return false; }
int device_count() { return 0; }
std::string why_none() { return "this program was built without CUDA"; }
void use_device(int) { refuse(); }
DeviceFacts facts() { refuse(); }
void synchronize() { refuse(); }
void* allocate_managed(std::size_t) { refuse(); }
void free_managed(void*) noexcept {}
void copy(void*, const void*, std::size_t) { refuse(); }

}  // namespace evd::cuda
