#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "shard/table.hpp"

namespace evd::shard {

/// A result that a stage read, as it was then.
struct InputEntry {
  std::string stage;
  std::int32_t round = 0;
  Sha256 content;
};

/// A file of another result that was read, found by its digest wherever that result is now.
struct InputFile {
  std::string name;  ///< relative to the campaign, as it was then
  Sha256 sha256;
};

struct Counts {
  std::int64_t done = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  std::int64_t open = 0;
};

/// MANIFEST.json: published last in a stage's directory. No manifest = not done.
struct Manifest {
  static constexpr int kVersion = 1;
  std::string campaign;
  std::string stage;
  std::int32_t round = 0;
  std::int32_t attempt = 1;
  std::string job;  ///< "<Slurm job>-<life>" or "<host>-<process>-0"; "" in older manifests
  std::string software;
  std::int64_t created_ms = 0;
  std::vector<FileEntry> files;
  std::vector<InputEntry> inputs;
  std::vector<InputFile> input_files;
  Sha256 content;           ///< over all files' content digests
  Sha256 science;           ///< digest of the science and identity keys
  std::string config_toml;  ///< effective configuration
  Counts counts;
  std::map<std::string, Counts> by_teacher;
  std::map<std::string, std::int64_t> tallies;  ///< stage-specific counts, by name
  std::map<std::string, double> seconds;        ///< wall seconds by activity, and "wall", "cpu"
  std::int64_t cost_microusd = 0;
  std::int64_t ambiguous_microusd = 0;  ///< possibly charged, no answer recorded
  std::int32_t ranks = 1;
  std::string accepted_partial_by;  ///< user, or "" when whole
};

/// With a digest of itself, so that any change to what it says is noticed.
[[nodiscard]] std::string to_json(const Manifest& manifest);
/// DataError naming `where` when the text is not a manifest of a version this build reads.
[[nodiscard]] Manifest parse_manifest(std::string_view json, std::string_view where);
/// Nothing when there is no manifest in `directory`; DataError when there is a damaged one.
[[nodiscard]] std::optional<Manifest> read_manifest(const std::filesystem::path& directory);
void publish_manifest(const std::filesystem::path& directory, const Manifest& manifest);
/// Content digest of a result: its files' content digests in name order. Call logs do not count:
/// how often something was tried is no part of what it gave. Nor do features: which of them a
/// result holds itself depends on what others had already.
[[nodiscard]] Sha256 content_of(const std::vector<FileEntry>& files);

}  // namespace evd::shard
