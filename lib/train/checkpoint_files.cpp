#include "train/checkpoint_files.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"

namespace evd::train {

namespace stdfs = std::filesystem;

bool is_there(const stdfs::path& path) {
  std::error_code trouble;
  const bool found = stdfs::exists(path, trouble);
  if (trouble) throw IoError("look for " + path.string() + ": " + trouble.message());
  return found;
}

CheckpointFile write_piece(const Piece& piece, const stdfs::path& folder) {
  const auto file = Pieces::file_name(piece.kind, piece.number);
  const auto written = nn::write_safetensors(
      folder / file, {{"values", {static_cast<std::int64_t>(piece.values.size())}, piece.values}},
      {});
  return {file, written.bytes, written.sha256};
}

CheckpointFile write_null_text(const stdfs::path& folder, const nn::Layout& layout,
                               std::span<const float> null_text) {
  const auto& n = layout.network();
  const auto written = nn::write_safetensors(
      folder / CheckpointIndex::kNullText,
      {{std::string(nn::kNullTextName), {n.max_tokens, n.caption_width}, null_text}},
      nn::metadata_of(layout));
  return {CheckpointIndex::kNullText, written.bytes, written.sha256};
}

std::vector<shard::FileEntry> write_rows(const stdfs::path& folder, const shard::FileHeader& header,
                                         const RoundRows& rows) {
  std::vector<shard::FileEntry> entries;
  each_table(rows, [&](const char* file, const auto& table) {
    using Row = typename std::decay_t<decltype(table)>::value_type;
    entries.push_back(shard::write_table<Row>(folder / file, header, table));
  });
  return entries;
}

// One line a file.
std::string to_text(std::span<const CheckpointFile> files) {
  nlohmann::json json = nlohmann::json::array();
  for (const auto& file : files) json.push_back({file.name, file.bytes, file.sha256.hex()});
  return json.dump();
}

std::vector<CheckpointFile> files_of(std::span<const std::byte> text) {
  std::vector<CheckpointFile> files;
  const auto* begin = reinterpret_cast<const char*>(text.data());
  for (const auto& file : nlohmann::json::parse(begin, begin + text.size())) {
    files.push_back({file[0], file[1], Sha256::parse(file[2].get<std::string>())});
  }
  return files;
}

std::string damage_in(const stdfs::path& folder, const CheckpointIndex& index, int rank,
                      int ranks) {
  for (auto i = static_cast<std::size_t>(rank); i < index.files.size();
       i += static_cast<std::size_t>(ranks)) {
    const auto path = folder / index.files[i].name;
    if (!is_there(path)) return path.string() + ": missing";
    if (fs::sha256_file(path) != index.files[i].sha256) return path.string() + ": damaged";
  }
  return {};
}

RoundRows read_rows(const stdfs::path& folder, const CheckpointIndex& index) {
  RoundRows rows;
  each_table(rows, [&](const char* name, auto& table) {
    using Row = typename std::decay_t<decltype(table)>::value_type;
    const auto file = folder / name;
    if (!is_there(file)) throw DataError(file.string() + ": missing");
    table = shard::read_table<Row>(file);
    const auto found = index.tables.find(name);
    if (found == index.tables.end() || shard::content_digest<Row>(table) != found->second) {
      throw DataError(file.string() + ": damaged");
    }
  });
  return rows;
}

bool has_rows(const CheckpointIndex& index, const RoundRows& rows) {
  bool all = true;
  each_table(rows, [&](const char* name, const auto& table) {
    using Row = typename std::decay_t<decltype(table)>::value_type;
    const auto found = index.tables.find(name);
    all = all && found != index.tables.end() && shard::content_digest<Row>(table) == found->second;
  });
  return all;
}

void fill(State& state, const stdfs::path& folder, const CheckpointIndex& index) {
  const auto& sharding = state.sharding();
  const auto null_text = nn::Safetensors::read(folder / CheckpointIndex::kNullText);
  nn::check_metadata(null_text, sharding.layout());
  state.null_text = nn::null_text_of(null_text, sharding.layout());
  Pieces(sharding, index.piece_elements).restore(state, folder, index.more_decays);
  state.counters = index.counters;
  state.guard = index.guard;
}

}  // namespace evd::train
