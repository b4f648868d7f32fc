#pragma once

#include <vector>

#include "nn/layout.hpp"
#include "train/reducer.hpp"

namespace evd::train {

/// How the flat gradient buffer is cut: behind the parameters lie a few scalars that are summed
/// over the ranks along with them (loss, wish to stop), the first bucket because they are known
/// first.
struct Cut {
  static constexpr std::size_t kScalars = nn::Layout::kAlignment;
  std::size_t size = 0;            ///< floats, scalars included
  std::vector<Bucket> buckets;     ///< [0] = the scalars, then whole parameters in layout order
  std::vector<std::size_t> of;     ///< bucket of each parameter
  std::vector<std::size_t> count;  ///< parameters in each bucket
};

/// Buckets of about `bucket_bytes`. Small ones start their reduction early, large ones waste less
/// on each start.
[[nodiscard]] Cut cut_into_buckets(const nn::Layout& layout, std::size_t bucket_bytes);

}  // namespace evd::train
