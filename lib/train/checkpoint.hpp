#pragma once

#include <filesystem>
#include <optional>
#include <vector>

#include "core/log.hpp"
#include "shard/table.hpp"
#include "train/state.hpp"

namespace evd::train {

/// What a life of this stage goes on from.
struct Resumed {
  State state;
  std::vector<shard::Step> steps;  ///< of this round, from its first step on
  std::filesystem::path from;
};

/// The resume states of one round, under `directory`/state: per checkpoint the state, the steps so
/// far, and an index that names both with their SHA-256 and is published last. Rank 0 only.
class Checkpoints {
 public:
  /// `key`: digest of everything that the round's result depends on. A state of another key
  /// (changed settings, set or start weights) is not gone on from.
  Checkpoints(std::filesystem::path directory, const nn::Layout& layout, const Sha256& key,
              shard::FileHeader header, int keep, const Log& log);

  /// Publishes the state, then removes all but the newest `keep`.
  void save(const State& state, std::span<const shard::Step> steps);
  /// The newest state that is whole and has this key. Says which ones it passed over and why, and
  /// removes them: kept, they would count among the newest and push out the ones to come.
  [[nodiscard]] std::optional<Resumed> newest();
  /// Publishes the round's results: state.safetensors, steps.h5, model.safetensors (the averaged
  /// weights). They are a state to go on from too, so the others are removed.
  [[nodiscard]] std::vector<shard::FileEntry> finish(const State& state,
                                                     std::span<const shard::Step> steps);

 private:
  [[nodiscard]] std::vector<std::filesystem::path> indices() const;  // newest first
  [[nodiscard]] Resumed load(const std::filesystem::path& index) const;
  [[nodiscard]] Resumed checked(StoredState stored, const std::filesystem::path& steps_file) const;
  void remove_beyond(std::size_t keep) const;
  static void remove(const std::filesystem::path& index);

  std::filesystem::path directory_;
  const nn::Layout& layout_;
  Sha256 key_;
  shard::FileHeader header_;
  int keep_;
  const Log& log_;
};

}  // namespace evd::train
