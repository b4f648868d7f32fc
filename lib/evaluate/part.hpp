#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <vector>

#include "evaluate/plan.hpp"
#include "evaluate/retired.hpp"
#include "nn/generator.hpp"
#include "shard/table.hpp"

namespace evd::evaluate {

/// What all pictures of a stage have in common.
struct Settings {
  const nn::Generator& generator;
  nn::SamplerOptions sampler;
  std::uint64_t seed = 0;  ///< campaign seed
  int round = 0;
  int side_px = 0;
};

/// Renders pictures as rows of the images table (origin base, PNG).
[[nodiscard]] std::vector<shard::Image> render_rows(const Settings& settings,
                                                    std::span<const Picture> pictures);

/// The same, with those taken over whose bytes `retired` has; `reused` counts them.
struct PartRows {
  std::vector<shard::Image> rows;
  std::int64_t reused = 0;
};
[[nodiscard]] PartRows part_rows(const Settings& settings, std::span<const Picture> pictures,
                                 RetiredRenders& retired);

/// The row of a picture whose encoded bytes are there already.
[[nodiscard]] shard::Image stored_row(const Settings& settings, const Picture& picture,
                                      shard::Blob png);

/// The entry of a part that an earlier attempt has published, when it holds just these pictures by
/// these weights and every byte of it is sound; nothing otherwise.
[[nodiscard]] std::optional<shard::FileEntry> finished_part(const std::filesystem::path& path,
                                                            const Settings& settings,
                                                            std::span<const Picture> pictures);

}  // namespace evd::evaluate
