#pragma once

#include <span>

namespace evd::data {

/// One size that pictures are brought to: the entry of an aspect table nearest to their own.
struct AspectBucket {
  double aspect = 1;  ///< height over width as the network is told it; not quite height_px/width_px
  int height_px = 0;
  int width_px = 0;
};

/// The authors' 20 sizes of about side_px^2 pixels with aspects from 0.5 to 2.0 (EvolveDirector,
/// diffusion/data/datasets/utils.py), for a side of 256, 512 or 1024; ConfigurationError for
/// another.
[[nodiscard]] std::span<const AspectBucket> aspect_table(int side_px);

/// Index of the entry whose aspect is nearest to height over width, the first of equally near ones.
/// InternalError for an empty table or side.
[[nodiscard]] int bucket_of(std::span<const AspectBucket> table, int width_px, int height_px);

}  // namespace evd::data
