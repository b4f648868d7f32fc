#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "shard/table.hpp"
#include "train/pieces.hpp"

namespace evd::train {

/// A file of a checkpoint, beside its index.
struct CheckpointFile {
  std::string name;
  std::int64_t bytes = 0;
  Sha256 sha256;
};

/// What the bits of a step depend on beside the checkpoint itself: ranks, ranks a node, threads,
/// instruction set, device, libraries.
using Environment = std::map<std::string, std::string>;

/// `index.json`, which is published last and makes the files beside it a checkpoint.
struct CheckpointIndex {
  Counters counters;
  GuardMemory guard;
  Sha256 key;  ///< of everything that the round's result depends on
  std::size_t piece_elements = 0;
  std::vector<double> more_decays;    ///< of ema1, ema2, ...
  std::vector<CheckpointFile> files;  ///< pieces and null text
  /// Of each table of the round so far, by file name; not of its bytes, which hold a date.
  std::map<std::string, Sha256> tables;
  Environment environment;

  static constexpr const char* kName = "index.json";
  static constexpr const char* kNullText = "null_text.safetensors";

  /// Digest of all but the environment: equal for equal states.
  [[nodiscard]] Sha256 content() const;
};

/// `pieces` tells where each named tensor begins.
[[nodiscard]] std::string to_json(const CheckpointIndex& index, const Pieces& pieces,
                                  const nn::Layout& layout);
/// DataError when the file is no such index.
[[nodiscard]] CheckpointIndex read_index(const std::filesystem::path& path);

}  // namespace evd::train
