#include "nn/threads.hpp"

#include <algorithm>
#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/Version.h>
#include <torch/headeronly/version.h>

namespace evd::nn {

void use_threads(int count) { at::set_num_threads(std::max(1, count)); }

std::string instruction_set() { return at::get_cpu_capability(); }

std::string torch_version() { return TORCH_VERSION; }

void each_alone(std::size_t count, int threads, const std::function<void(std::size_t)>& work) {
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;
  const auto take = [&] {
    try {
      at::set_num_threads(1);
      for (std::size_t i = next++; i < count; i = next++) work(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!error) error = std::current_exception();
      next = count;
    }
  };
  const int before = at::get_num_threads();
  {
    std::vector<std::jthread> workers;
    const auto most = std::min(static_cast<std::size_t>(std::max(1, threads)), count);
    for (std::size_t i = 0; i < most; ++i) workers.emplace_back(take);
  }
  at::set_num_threads(before);
  if (error) std::rethrow_exception(error);
}

}  // namespace evd::nn
