#include "evaluate/retired.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/error.hpp"

namespace evd::evaluate {
namespace {

// Names in `parent` that begin so, sorted.
std::vector<std::filesystem::path> entries_in(const std::filesystem::path& parent,
                                              const std::string& begin) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end;
       at.increment(error))
    if (at->path().filename().string().starts_with(begin)) found.push_back(at->path());
  std::sort(found.begin(), found.end());
  return found;
}

}  // namespace

RetiredRenders::RetiredRenders(const std::filesystem::path& directory) {
  const std::string retired = directory.filename().string() + ".retired-";
  for (const auto& old : entries_in(directory.parent_path(), retired))
    for (const auto& file : entries_in(old, "renders-")) try {
        index(file);
      } catch (const Error&) {
      }
}

void RetiredRenders::index(const std::filesystem::path& file) {
  static constexpr std::array<std::string_view, 3> kColumns = {"key", "outcome", "sha256"};
  const auto rows = shard::Table<shard::Image>(file).read(kColumns);
  files_.push_back(file);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rows[i].outcome == shard::Outcome::ok)
      by_key_[rows[i].key] = {files_.size() - 1, static_cast<std::int64_t>(i), rows[i].sha256};
}

std::optional<shard::Blob> RetiredRenders::find(const RequestKey& key) {
  const auto found = by_key_.find(key);
  if (found == by_key_.end()) return std::nullopt;
  const auto& [file, row, digest] = found->second;
  try {
    if (!open_ || open_->first != file)
      open_.emplace(file, shard::Table<shard::Image>(files_[file]));
    auto bytes = open_->second.blob(row);
    if (sha256(Bytes(bytes)) == digest) return bytes;
  } catch (const Error&) {
  }
  return std::nullopt;
}

}  // namespace evd::evaluate
