#include "shard/listed_file.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/file.hpp"
#include "shard/file_columns.hpp"

namespace evd::shard {
namespace {

std::string described(const std::string& stage, int round, const std::string& campaign) {
  return printable(stage) + " round " + std::to_string(round) + " of campaign " +
         printable(campaign);
}

void require_own(const std::filesystem::path& path, const Manifest& manifest) {
  const FileHeader found = read_header(h5::File(path));
  if (found.campaign == manifest.campaign && found.stage == manifest.stage &&
      found.round == manifest.round)
    return;
  throw DataError(path.string() + ": is of " + described(found.stage, found.round, found.campaign) +
                  ", not of " + described(manifest.stage, manifest.round, manifest.campaign) +
                  " (was it copied here?)");
}

}  // namespace

void require_listed(const std::filesystem::path& directory, const Manifest& manifest,
                    const FileEntry& file) {
  const auto path = directory / file.name;
  std::error_code trouble;
  const auto bytes = std::filesystem::file_size(path, trouble);
  if (trouble == std::errc::no_such_file_or_directory)
    throw DataError(path.string() + ": missing, though its manifest lists it");
  if (trouble) throw IoError("look at " + path.string() + ": " + trouble.message());
  // Before the length: whose file it is says more.
  if (!file.table.empty()) require_own(path, manifest);
  if (bytes != static_cast<std::uintmax_t>(file.bytes))
    throw DataError(path.string() + ": " + std::to_string(bytes) + " bytes, the manifest says " +
                    std::to_string(file.bytes));
}

}  // namespace evd::shard
