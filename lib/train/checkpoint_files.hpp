#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "shard/table.hpp"
#include "train/checkpoint_index.hpp"
#include "train/round_rows.hpp"

/// The files that lie in a checkpoint's folder.
namespace evd::train {

/// IoError when that cannot be told.
[[nodiscard]] bool is_there(const std::filesystem::path& path);

/// IoError, as of all that write.
[[nodiscard]] CheckpointFile write_piece(const Piece& piece, const std::filesystem::path& folder);
[[nodiscard]] CheckpointFile write_null_text(const std::filesystem::path& folder,
                                             const nn::Layout& layout,
                                             std::span<const float> null_text);
/// One file a table.
[[nodiscard]] std::vector<shard::FileEntry> write_rows(const std::filesystem::path& folder,
                                                       const shard::FileHeader& header,
                                                       const RoundRows& rows);

/// What ranks tell each other of the files that they wrote.
[[nodiscard]] std::string to_text(std::span<const CheckpointFile> files);
[[nodiscard]] std::vector<CheckpointFile> files_of(std::span<const std::byte> text);

/// Of one rank's share of the files that the index names: what is wrong with the first whose bytes
/// are not the index's; empty = nothing.
[[nodiscard]] std::string damage_in(const std::filesystem::path& folder,
                                    const CheckpointIndex& index, int rank, int ranks);
/// The tables, each compared with the index. DataError naming one that is damaged or gone.
[[nodiscard]] RoundRows read_rows(const std::filesystem::path& folder,
                                  const CheckpointIndex& index);
/// Whether the index names just these tables.
[[nodiscard]] bool has_rows(const CheckpointIndex& index, const RoundRows& rows);
/// Everything else, which damage_in() found sound. Collective.
void fill(State& state, const std::filesystem::path& folder, const CheckpointIndex& index);

}  // namespace evd::train
