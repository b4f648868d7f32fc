#include "run/file_entries.hpp"

#include <algorithm>
#include <string>

#include <nlohmann/json.hpp>

#include "core/hash.hpp"

namespace evd::run {
namespace {

nlohmann::json to_json(const shard::FileEntry& entry) {
  return {{"name", entry.name},   {"table", entry.table},         {"rows", entry.rows},
          {"bytes", entry.bytes}, {"sha256", entry.sha256.hex()}, {"content", entry.content.hex()}};
}

shard::FileEntry entry_from(const nlohmann::json& json) {
  return {.name = json.at("name"),
          .table = json.at("table"),
          .rows = json.at("rows"),
          .bytes = json.at("bytes"),
          .sha256 = Sha256::parse(json.at("sha256").get<std::string>()),
          .content = Sha256::parse(json.at("content").get<std::string>())};
}

}  // namespace

std::vector<shard::FileEntry> gather_files(std::span<const shard::FileEntry> own,
                                           const mpi::Communicator& world) {
  nlohmann::json mine = nlohmann::json::array();
  for (const auto& entry : own) mine.push_back(to_json(entry));
  const std::string text = mine.dump();
  std::vector<shard::FileEntry> all;
  for (const auto& bytes : world.gather(as_bytes(text), 0)) {
    const auto* begin = reinterpret_cast<const char*>(bytes.data());
    for (const auto& entry : nlohmann::json::parse(begin, begin + bytes.size()))
      all.push_back(entry_from(entry));
  }
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return all;
}

}  // namespace evd::run
