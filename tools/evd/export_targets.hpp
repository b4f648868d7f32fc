#pragma once

#include <filesystem>
#include <functional>
#include <span>
#include <string>

#include "problems.hpp"
#include "run/campaign.hpp"
#include "shard/rows.hpp"

namespace evd::hands {

/// A sample and the picture that it is trained on.
struct Target {
  const shard::Sample& sample;
  const shard::Image& image;
  shard::Blob bytes;
  std::string extension;  ///< .jpg, .png or .webp
};

/// Calls `take` for each sample that has a target. Pictures that cannot be read are noted.
void for_each_target(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                     Problems& problems, const std::function<void(const Target&)>& take);

/// One file per target, named by the sample, and index.csv beside them; gives how many.
std::size_t export_images(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                          const std::filesystem::path& folder, Problems& problems);

/// WebDataset: <id>.<jpg, png or webp>, <id>.txt with the prompt and <id>.json with the sample's
/// row, sample after sample. `path` when all fits into `most_bytes`; else as many archives as it
/// takes, called out-000000.tar, out-000001.tar, ... for out.tar. Gives how many samples.
std::size_t export_webdataset(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                              const std::filesystem::path& path, std::size_t most_bytes,
                              Problems& problems);

/// An archive is made in memory, and 256 MB is what readers of WebDataset are used to.
constexpr std::size_t kMostArchiveBytes = std::size_t{256} << 20;

}  // namespace evd::hands
