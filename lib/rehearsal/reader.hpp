#pragma once

#include <cstddef>
#include <vector>

#include "image/image.hpp"
#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// How well a picture shows one attribute of one item, 0 to 1.
struct Fit {
  std::size_t item = 0;
  Attribute attribute = Attribute::colour;
  double score = 0;
  double weight = 1;
};

/// The eye of the simulated VLM. It sees pixels only: it takes the picture apart into paints, finds
/// what stands in each place from the masses and moments of their covers, and compares that with
/// what the prompt means. It saturates: a thing that is clearly right scores 1 however neatly it is
/// drawn.
[[nodiscard]] std::vector<Fit> fits(const Scene& meant, const image::Rgb& picture);
/// Weighted mean of fits(), 0 to 1.
[[nodiscard]] double fit(const Scene& meant, const image::Rgb& picture);

}  // namespace evd::rehearsal
