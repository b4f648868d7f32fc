#pragma once

#include <cstdint>
#include <filesystem>
#include <unordered_set>
#include <vector>

#include "core/random.hpp"
#include "data/prompt_source.hpp"
#include "id_set.hpp"
#include "run/create.hpp"
#include "shard/rows.hpp"
#include "shard/table.hpp"

namespace evd::hands {

/// Writes prompts as prompts/pool-00000.h5, ... while they come, in shards that fit into memory.
class PoolWriter {
 public:
  static constexpr std::size_t kRowsPerShard = 250'000;

  explicit PoolWriter(const run::NewCampaign& campaign) : campaign_(campaign) {}
  void add(shard::Prompt prompt);
  /// Writes what is left; the files, in order.
  [[nodiscard]] const std::vector<shard::FileEntry>& finish();

 private:
  void flush();
  const run::NewCampaign& campaign_;
  std::vector<shard::Prompt> rows_;
  std::vector<shard::FileEntry> files_;
};

/// `count` of the ids (all when there are fewer), drawn by seed for `purpose`: those with the
/// smallest of their own random numbers, so the choice does not depend on the order of lines.
/// Ids in `without` are passed over. Sorted.
[[nodiscard]] std::vector<SampleId> draw(const IdSet& ids, std::size_t count, std::uint64_t seed,
                                         Purpose purpose,
                                         const std::unordered_set<SampleId>& without = {});

/// The held-out prompts of a file, in memory; says on standard output what was taken and what not.
/// DataError when nothing was.
[[nodiscard]] std::vector<shard::Prompt> read_heldout(const std::filesystem::path& path,
                                                      const data::PromptColumns& columns,
                                                      const run::SetOptions& options);

/// A prompt as a row of the set: waiting, or held out.
[[nodiscard]] shard::Sample sample_of(const shard::Prompt& prompt, shard::Split split,
                                      const run::SetOptions& options);

}  // namespace evd::hands
