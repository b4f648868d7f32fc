#include "train/checkpoint_index.hpp"

#include <array>
#include <bit>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "fs/file.hpp"

namespace evd::train {
namespace {

constexpr const char* kFormat = "evolvedirector checkpoint 6";
constexpr std::uint64_t kMaxIndexBytes = std::uint64_t{1} << 26;

nlohmann::json tensors_of(const Pieces& pieces, const nn::Layout& layout) {
  nlohmann::json tensors = nlohmann::json::object();
  for (std::size_t i = 0; i < layout.parameters().size(); ++i) {
    const auto& parameter = layout.parameters()[i];
    const std::size_t element = pieces.offsets()[i];
    tensors[parameter.name] = {{"piece", element / pieces.piece_elements()},
                               {"offset", element % pieces.piece_elements()},
                               {"shape", parameter.shape}};
  }
  return tensors;
}

std::string checked_name(const std::string& name) {
  if (name.empty() || name.find('/') != std::string::npos || name.front() == '.') {
    throw DataError("a file name leads out of the directory");
  }
  return name;
}

CheckpointIndex parse(const nlohmann::json& json) {
  if (json.at("format") != kFormat) {
    throw DataError("another format (" + json.at("format").dump() + ")");
  }
  CheckpointIndex index;
  const auto& counters = json.at("counters");
  counters.at("step").get_to(index.counters.step);
  counters.at("updates").get_to(index.counters.updates);
  counters.at("round_step").get_to(index.counters.round_step);
  const auto& guard = json.at("guard");
  guard.at("norms").get_to(index.guard.norms);
  guard.at("in_row").get_to(index.guard.in_row);
  guard.at("skipped").get_to(index.guard.skipped);
  index.key = Sha256::parse(json.at("resumes").get<std::string>());
  json.at("piece_elements").get_to(index.piece_elements);
  json.at("more_decays").get_to(index.more_decays);
  for (const auto& file : json.at("files")) {
    index.files.push_back({checked_name(file.at("name").get<std::string>()),
                           file.at("bytes").get<std::int64_t>(),
                           Sha256::parse(file.at("sha256").get<std::string>())});
  }
  for (const auto& [file, content] : json.at("tables").items()) {
    index.tables[file] = Sha256::parse(content.get<std::string>());
  }
  json.at("environment").get_to(index.environment);
  if (index.piece_elements == 0 || index.counters.round_step < 0) {
    throw DataError("a count is out of range");
  }
  return index;
}

}  // namespace

Sha256 CheckpointIndex::content() const {
  Sha256Stream stream;
  const auto add = [&](const auto& counts) {
    stream.field(static_cast<std::uint64_t>(counts.size()));
    for (const std::int64_t count : counts) stream.field(static_cast<std::uint64_t>(count));
  };
  add(std::array{counters.step, counters.updates, counters.round_step});
  add(guard.in_row);
  add(guard.skipped);
  stream.field(static_cast<std::uint64_t>(guard.norms.size()));
  for (const float norm : guard.norms)
    stream.field(std::uint64_t{std::bit_cast<std::uint32_t>(norm)});
  stream.field(key.hex()).field(static_cast<std::uint64_t>(piece_elements));
  for (const double decay : more_decays) stream.field(std::bit_cast<std::uint64_t>(decay));
  for (const auto& file : files) stream.field(file.name).field(file.sha256.hex());
  for (const auto& [file, content] : tables) stream.field(file).field(content.hex());
  return stream.finish();
}

std::string to_json(const CheckpointIndex& index, const Pieces& pieces, const nn::Layout& layout) {
  nlohmann::json files = nlohmann::json::array();
  for (const auto& file : index.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256.hex()}});
  }
  nlohmann::json tables = nlohmann::json::object();
  for (const auto& [file, content] : index.tables) tables[file] = content.hex();
  const auto& c = index.counters;
  const nlohmann::json json = {
      {"format", kFormat},
      {"counters", {{"step", c.step}, {"updates", c.updates}, {"round_step", c.round_step}}},
      {"guard",
       {{"norms", index.guard.norms},
        {"in_row", index.guard.in_row},
        {"skipped", index.guard.skipped}}},
      {"resumes", index.key.hex()},
      {"piece_elements", index.piece_elements},
      {"more_decays", index.more_decays},
      {"files", files},
      {"tables", tables},
      {"environment", index.environment},
      {"tensors", tensors_of(pieces, layout)}};
  return json.dump(1) + "\n";
}

CheckpointIndex read_index(const std::filesystem::path& path) {
  try {
    return parse(nlohmann::json::parse(fs::read_text(path, kMaxIndexBytes)));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(path.string() + ": not the index of a checkpoint (" + error.what() + ")");
  } catch (const DataError& error) {
    throw DataError(path.string() + ": not the index of a checkpoint of this version (" +
                    error.what() + ")");
  }
}

}  // namespace evd::train
