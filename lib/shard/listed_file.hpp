#pragma once

#include <filesystem>

#include "shard/manifest.hpp"

namespace evd::shard {

/// Throws DataError unless a file that `manifest` lists is in `directory`, as long as listed and,
/// when it is a table, of the manifest's campaign, stage and round. It reads no more than the
/// file's head: a file of another campaign is sound in itself, and to read all of it takes as long
/// as `evd verify`.
void require_listed(const std::filesystem::path& directory, const Manifest& manifest,
                    const FileEntry& file);

}  // namespace evd::shard
