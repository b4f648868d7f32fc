#pragma once

#include <cstdint>
#include <string>

#include "shard/catalog.hpp"
#include "shard/rows.hpp"

namespace evd::judge {

/// A picture as decisions see it: an images row without its bytes and without what only people
/// read, so that a set of 300,000 prompts fits in memory.
struct Picture {
  ImageId id;
  SampleId prompt;
  shard::Split split = shard::Split::train;
  shard::Outcome outcome = shard::Outcome::ok;
  std::string teacher;
  int teacher_order = 0;  ///< place in the configuration
  int sample_index = 0;
  int width = 0;
  int height = 0;
  std::int64_t cost_microusd = 0;
  Sha256 sha256;
  Sha256 checkpoint;
  shard::ImageLocation where;
};

/// Size that both pictures of a question are shown at.
struct Extent {
  int width = 0;
  int height = 0;
  friend bool operator==(const Extent&, const Extent&) = default;
};

/// Both pictures the same way: the smaller width and the smaller height of the two, so that
/// neither wins by its resolution; with `side` > 0, scaled so that the longer side is `side`.
[[nodiscard]] Extent common_extent(const Picture& a, const Picture& b, int side);

}  // namespace evd::judge
