#pragma once

#include <string>

namespace evd::nn {

/// Threads that this process computes with from now on. Torch's own default is every core of the
/// node, which ranks that share a node must not all use.
void use_threads(int count);

/// The widest vectors that torch computes with here: "AVX512", "AVX2", ...
[[nodiscard]] std::string instruction_set();
/// Of the library that was linked: "2.11.0".
[[nodiscard]] std::string torch_version();

}  // namespace evd::nn
