#include "nn/threads.hpp"

#include <algorithm>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

namespace evd::nn {

void use_threads(int count) { at::set_num_threads(std::max(1, count)); }

std::string instruction_set() { return at::get_cpu_capability(); }

std::string torch_version() { return TORCH_VERSION; }

}  // namespace evd::nn
