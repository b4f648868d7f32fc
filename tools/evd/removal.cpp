#include "removal.hpp"

#include <sys/stat.h>

#include "core/error.hpp"
#include "fs/descriptor.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

bool is_still(const stdfs::path& path, const Piece& piece) {
  struct stat info {};
  return ::lstat(path.c_str(), &info) == 0 && info.st_ino == piece.inode;
}

[[noreturn]] void refuse_other(const Piece& piece) {
  throw IoError("remove " + piece.path.string() +
                ": it is not what it was when it was looked at (another program has been here); "
                "nothing of it is removed; type the same command again");
}

void remove_one(const stdfs::path& path) {
  fs::io_event("gc.remove", path);
  std::error_code error;
  stdfs::remove(path, error);
  if (error && error != std::errc::no_such_file_or_directory)
    throw IoError("remove " + path.string() + ": " + error.message());
}

void remove_below(const stdfs::path& directory) {
  std::error_code error;
  for (stdfs::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const bool descend = at->is_directory(error) && !at->is_symlink(error);
    if (descend) remove_below(at->path());
    remove_one(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw IoError("remove " + directory.string() + ": " + error.message());
}

}  // namespace

stdfs::path take_away(const Piece& piece) {
  if (!is_still(piece.path, piece)) refuse_other(piece);
  if (!stdfs::is_directory(stdfs::symlink_status(piece.path))) {
    remove_one(piece.path);
    fs::sync_directory(fs::directory_of(piece.path));
    return {};
  }
  const std::string name = piece.path.filename().string();
  if (name.starts_with('.') && name.ends_with(kRemoved)) return piece.path;
  auto hidden = piece.path.parent_path() / ("." + name + kRemoved);
  fs::rename(piece.path, hidden);
  if (is_still(hidden, piece)) return hidden;
  fs::rename(hidden, piece.path);
  refuse_other(piece);
}

void shrink(const Piece& segment, Spools& spools) {
  if (!is_still(segment.path, segment)) refuse_other(segment);
  if (const auto rest = spools.emptied(segment.path)) fs::publish(segment.path, *rest);
}

void remove_directory(const stdfs::path& directory) {
  remove_one(directory / "MANIFEST.json");
  std::error_code gone;
  if (stdfs::exists(directory, gone)) fs::sync_directory(directory);
  remove_below(directory);
  remove_one(directory);
  fs::sync_directory(fs::directory_of(directory));
}

}  // namespace evd::hands
