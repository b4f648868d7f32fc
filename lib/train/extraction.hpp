#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "data/targets.hpp"
#include "nn/device.hpp"
#include "run/program.hpp"
#include "train/activity.hpp"

namespace evd::train {

/// A feature to be made.
struct Task {
  RequestKey key;
  shard::FeatureKind kind = shard::FeatureKind::text;
  std::int32_t number = 0;          ///< the caller's
  std::string_view prompt;          ///< of a text
  std::size_t member = 0;           ///< whose target becomes latents
  int height_px = 0, width_px = 0;  ///< brought to this size first
};

/// A file of features, published in the stage's directory.
struct ExtractedFile {
  shard::FileEntry entry;
  std::vector<std::int32_t> numbers;  ///< of the tasks, row by row
};

/// Does this rank's tasks on `engine`. Files are called texts-NNNNN.h5 and latents-NNNNN.h5,
/// numbered from `first_number` in steps of `number_step`. Leaves between two pieces of work when a
/// signal came, with all that is done published.
[[nodiscard]] std::vector<ExtractedFile> extract(run::Context& context, std::span<const Task> tasks,
                                                 const data::Targets& targets, int threads,
                                                 int first_number, int number_step,
                                                 const Activity& activity,
                                                 const nn::Engine& engine);

}  // namespace evd::train
