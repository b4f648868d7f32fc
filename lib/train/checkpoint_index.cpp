#include "train/checkpoint_index.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "fs/file.hpp"

namespace evd::train {
namespace {

constexpr const char* kFormat = "evolvedirector checkpoint 3";
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
  counters.at("skipped_in_row").get_to(index.counters.skipped_in_row);
  index.key = Sha256::parse(json.at("resumes").get<std::string>());
  json.at("piece_elements").get_to(index.piece_elements);
  for (const auto& file : json.at("files")) {
    index.files.push_back({checked_name(file.at("name").get<std::string>()),
                           file.at("bytes").get<std::int64_t>(),
                           Sha256::parse(file.at("sha256").get<std::string>())});
  }
  index.steps_content = Sha256::parse(json.at("steps_content").get<std::string>());
  json.at("environment").get_to(index.environment);
  if (index.piece_elements == 0 || index.counters.round_step < 0) {
    throw DataError("a count is out of range");
  }
  return index;
}

}  // namespace

Sha256 CheckpointIndex::content() const {
  Sha256Stream stream;
  for (const std::int64_t count :
       {counters.step, counters.updates, counters.round_step, counters.skipped_in_row}) {
    stream.field(static_cast<std::uint64_t>(count));
  }
  stream.field(key.hex()).field(static_cast<std::uint64_t>(piece_elements));
  for (const auto& file : files) stream.field(file.name).field(file.sha256.hex());
  return stream.field(steps_content.hex()).finish();
}

std::string to_json(const CheckpointIndex& index, const Pieces& pieces, const nn::Layout& layout) {
  nlohmann::json files = nlohmann::json::array();
  for (const auto& file : index.files) {
    files.push_back({{"name", file.name}, {"bytes", file.bytes}, {"sha256", file.sha256.hex()}});
  }
  const auto& c = index.counters;
  const nlohmann::json json = {{"format", kFormat},
                               {"counters",
                                {{"step", c.step},
                                 {"updates", c.updates},
                                 {"round_step", c.round_step},
                                 {"skipped_in_row", c.skipped_in_row}}},
                               {"resumes", index.key.hex()},
                               {"piece_elements", index.piece_elements},
                               {"files", files},
                               {"steps_content", index.steps_content.hex()},
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
