#pragma once

#include <vector>

#include "harvest/archive.hpp"
#include "harvest/input.hpp"
#include "run/program.hpp"
#include "shard/table.hpp"

namespace evd::harvest {

/// Draws [first, last) of the result, one image file.
struct Part {
  std::size_t first = 0;
  std::size_t last = 0;
};

/// Cuts the result into files of about harvest.shard_mib; at least one. A function of the recorded
/// answers only, so neither ranks nor kills change it.
[[nodiscard]] std::vector<Part> cut(const Input& input, const Archive& archive, double shard_mib);

/// One row of the images table, with its bytes when asked for; outcome open when nothing is
/// recorded.
[[nodiscard]] shard::Image image_row(const Input& input, const Draw& draw, const Archive& archive,
                                     int round);

/// Publishes this rank's share of the parts (part i by rank i mod ranks). Returns the entries of
/// all ranks on rank 0, in part order.
[[nodiscard]] std::vector<shard::FileEntry> publish_parts(const run::Context& context,
                                                          const Input& input,
                                                          const Archive& archive,
                                                          const std::vector<Part>& parts);

/// Removes image files of a killed attempt that had more parts. Rank 0.
void remove_stray_parts(const run::Context& context, std::size_t parts);

}  // namespace evd::harvest
