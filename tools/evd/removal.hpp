#pragma once

#include <filesystem>

#include "garbage.hpp"
#include "spool.hpp"

namespace evd::hands {

/// Takes a piece out of everybody's sight, in one step that is durable when this returns: a
/// directory gets a name that nobody looks for, a file goes. Gives the directory's new name; empty
/// for a file. IoError when it is not what it was when it was looked at (somebody has been here).
[[nodiscard]] std::filesystem::path take_away(const Piece& piece);

/// Takes the published pictures out of a journal: the file is replaced whole.
void shrink(const Piece& segment, Spools& spools);

/// Removes such a directory, its manifest first: what is left when this is cut short is no result,
/// and the next call goes on. Another one may be at it too.
void remove_directory(const std::filesystem::path& directory);

}  // namespace evd::hands
