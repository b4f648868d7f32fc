#include "nn/threads.hpp"

#include <algorithm>

#include <ATen/Parallel.h>

namespace evd::nn {

void use_threads(int count) { at::set_num_threads(std::max(1, count)); }

}  // namespace evd::nn
