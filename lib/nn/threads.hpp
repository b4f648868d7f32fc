#pragma once

namespace evd::nn {

/// Threads that this process computes with from now on. Torch's own default is every core of the
/// node, which ranks that share a node must not all use.
void use_threads(int count);

}  // namespace evd::nn
