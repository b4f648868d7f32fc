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
/// far, and an index that names both with their SHA-256 and is published last. The finished round
/// is one more, in `directory` itself, until its manifest is out. Rank 0 only.
class Checkpoints {
 public:
  /// `key`: digest of everything that the round's result depends on. A state of another key
  /// (changed settings, set or start weights) is not gone on from.
  Checkpoints(std::filesystem::path directory, const nn::Layout& layout, const Sha256& key,
              shard::FileHeader header, int keep, const Log& log);

  /// Publishes the state, then removes all but the newest `keep`.
  void save(const State& state, std::span<const shard::Step> steps);
  /// The newest state that is whole and has this key. Damaged ones and those of another key are
  /// told and set aside: where they were, they would count among the newest and push out the ones
  /// to come. IoError when one cannot be read: it may be whole. Removes what killed lives left.
  [[nodiscard]] std::optional<Resumed> newest();
  /// Publishes the round's results: state.safetensors, steps.h5, model.safetensors (the averaged
  /// weights), then the index state.json, which makes them a state to go on from; so all others,
  /// also those set aside, are removed.
  [[nodiscard]] std::vector<shard::FileEntry> finish(const State& state,
                                                     std::span<const shard::Step> steps);

 private:
  [[nodiscard]] std::vector<std::filesystem::path> indices() const;  // newest first
  [[nodiscard]] Resumed load(const std::filesystem::path& index) const;
  [[nodiscard]] std::optional<Resumed> attempt(const std::filesystem::path& index) const;
  void set_aside(const std::filesystem::path& index) const;
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
