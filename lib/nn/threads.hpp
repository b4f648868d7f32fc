#pragma once

#include <cstddef>
#include <functional>
#include <string>

namespace evd::nn {

/// Threads that this process computes with from now on. Torch's own default is every core of the
/// node, which ranks that share a node must not all use.
void use_threads(int count);

/// The widest vectors that torch computes with here: "AVX512", "AVX2", ...
[[nodiscard]] std::string instruction_set();
/// Of the library that was linked: "2.11.0".
[[nodiscard]] std::string torch_version();

/// Calls work(0) to work(count - 1), each by one of `threads` threads that computes alone, so that
/// what it gives does not depend on their number. Rethrows the first error, after all have ended.
void each_alone(std::size_t count, int threads, const std::function<void(std::size_t)>& work);

}  // namespace evd::nn
