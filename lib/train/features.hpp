#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "data/aspect.hpp"
#include "data/features.hpp"
#include "data/members.hpp"
#include "run/program.hpp"
#include "shard/catalog.hpp"
#include "train/activity.hpp"

namespace evd::train {

struct PictureSize {
  int height_px = 0;
  int width_px = 0;
};

/// Which size every member is trained at.
struct SizeBuckets {
  std::span<const data::AspectBucket> table;  ///< empty unless the network is multi-aspect
  std::vector<int> of;                        ///< of every member; all 0 without a table
  std::vector<PictureSize> sizes;             ///< as the targets came; empty without a table
};

/// What a round's training reads instead of prompts and pictures, and what its result tells of it.
struct Features {
  SizeBuckets buckets;
  std::vector<std::filesystem::path> files;
  data::FeatureSamples::Places places;  ///< lists are empty for what is not encoded
  data::FeaturePlace null_text;         ///< of the empty text; unknown = not asked for
  std::vector<data::FeaturePlace>
      prompts;  ///< texts asked for beside the members'; empty without T5

  // On rank 0 only.
  std::vector<shard::FileEntry> own_files;    ///< in the stage's directory
  std::vector<shard::InputFile> input_files;  ///< of earlier results
  std::vector<shard::FeatureUse> uses;        ///< of every member
  std::map<std::string, std::int64_t> tallies;
};

/// Finds the features of every member, and the texts of `prompts`, by key, in results of the
/// campaign (those that were set aside too) and in what a killed life left in the stage's
/// directory, checks every byte of them, and extracts what is missing or damaged, each once: ranks
/// share the work, files are published whole, and what is finished stays when the job is killed.
/// The encoders are gone from memory when it returns. Collective. Stopped when a signal came;
/// DataError naming a sample whose target cannot be read.
[[nodiscard]] Features prepare_features(run::Context& context, const mpi::Communicator& node,
                                        std::span<const data::Member> members,
                                        std::span<const std::string> prompts,
                                        const shard::Catalog& catalog, const Activity& activity);

}  // namespace evd::train
