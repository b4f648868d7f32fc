#pragma once

#include <cstddef>
#include <vector>

#include "nn/layout.hpp"

namespace evd::train {

/// Elements [begin, end) of a flat buffer.
struct Range {
  std::size_t begin = 0;
  std::size_t end = 0;
  [[nodiscard]] std::size_t size() const { return end - begin; }
};

/// How the flat buffers are cut: each bucket's gradients are reduced as one piece, as soon as
/// backward has finished them. The same at every world size.
struct Cut {
  std::vector<Range> buckets;      ///< whole parameters in layout order
  std::vector<std::size_t> of;     ///< bucket of each parameter
  std::vector<std::size_t> count;  ///< parameters in each bucket
};

/// Buckets of about `bucket_bytes`. Small ones start their reduction early, large ones waste less
/// on each start.
[[nodiscard]] Cut cut_into_buckets(const nn::Layout& layout, std::size_t bucket_bytes);

}  // namespace evd::train
