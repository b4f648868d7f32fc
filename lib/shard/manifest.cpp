#include "shard/manifest.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::shard {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::string_view kKind = "evolvedirector manifest";
constexpr std::string_view kFile = "MANIFEST.json";
constexpr const char* kDigest = "manifest_sha256";
constexpr std::uint64_t kMostBytes = 1U << 28;

Json to_object(const Counts& counts) {
  return {{"done", counts.done},
          {"refused", counts.refused},
          {"failed", counts.failed},
          {"open", counts.open}};
}

Counts to_counts(const Json& json) {
  return {json.at("done").get<std::int64_t>(), json.at("refused").get<std::int64_t>(),
          json.at("failed").get<std::int64_t>(), json.at("open").get<std::int64_t>()};
}

Json to_object(const FileEntry& file) {
  return {{"name", file.name},   {"table", file.table},         {"rows", file.rows},
          {"bytes", file.bytes}, {"sha256", file.sha256.hex()}, {"content", file.content.hex()}};
}

// A name leads to nothing outside the stage's directory, whoever wrote the manifest.
std::string checked_name(const std::string& name) {
  const std::filesystem::path path(name);
  const bool leaves = std::any_of(path.begin(), path.end(),
                                  [](const auto& part) { return part == ".." || part.empty(); });
  if (name.empty() || path.is_absolute() || leaves || name.find('\0') != std::string::npos)
    throw DataError("a file name leads out of the directory");
  return name;
}

FileEntry to_file(const Json& json) {
  FileEntry file;
  file.name = checked_name(json.at("name").get<std::string>());
  file.table = json.at("table").get<std::string>();
  file.rows = json.at("rows").get<std::int64_t>();
  file.bytes = json.at("bytes").get<std::int64_t>();
  file.sha256 = Sha256::parse(json.at("sha256").get<std::string>());
  file.content = Sha256::parse(json.at("content").get<std::string>());
  if (file.rows < 0 || file.bytes < 0) throw DataError("a file has a negative size");
  return file;
}

Json to_object(const InputEntry& input) {
  return {{"stage", input.stage}, {"round", input.round}, {"content", input.content.hex()}};
}

InputEntry to_input(const Json& json) {
  return {json.at("stage").get<std::string>(), json.at("round").get<std::int32_t>(),
          Sha256::parse(json.at("content").get<std::string>())};
}

Json to_object(const InputFile& file) {
  return {{"name", file.name}, {"sha256", file.sha256.hex()}};
}

InputFile to_input_file(const Json& json) {
  return {checked_name(json.at("name").get<std::string>()),
          Sha256::parse(json.at("sha256").get<std::string>())};
}

// Always the same text for the same document, so that its digest can be taken anew after parsing.
std::string dump(const Json& json) {
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// A flipped digit is still JSON: the document carries a digest of all the rest of it.
void check_digest(Json json) {
  const auto expected = Sha256::parse(json.at(kDigest).get<std::string>());
  json.erase(kDigest);
  if (sha256(dump(json)) != expected)
    throw DataError(
        "damaged manifest (its own digest is another) restore the file, or rename the "
        "directory to redo the stage");
}

template <class List>
Json to_array(const List& list) {
  Json array = Json::array();
  for (const auto& entry : list) array.push_back(to_object(entry));
  return array;
}

Manifest from_object(const Json& json) {
  Manifest manifest;
  manifest.campaign = json.at("campaign").get<std::string>();
  manifest.stage = json.at("stage").get<std::string>();
  manifest.round = json.at("round").get<std::int32_t>();
  manifest.attempt = json.at("attempt").get<std::int32_t>();
  manifest.job = json.value("job", "");
  manifest.software = json.at("software").get<std::string>();
  manifest.created_ms = json.at("created_ms").get<std::int64_t>();
  for (const auto& file : json.at("files")) manifest.files.push_back(to_file(file));
  for (const auto& input : json.at("inputs")) manifest.inputs.push_back(to_input(input));
  for (const auto& file : json.value("input_files", Json::array()))
    manifest.input_files.push_back(to_input_file(file));
  manifest.content = Sha256::parse(json.at("content").get<std::string>());
  manifest.science = Sha256::parse(json.at("science").get<std::string>());
  manifest.config_toml = json.at("config_toml").get<std::string>();
  manifest.counts = to_counts(json.at("counts"));
  for (const auto& [teacher, counts] : json.at("by_teacher").items())
    manifest.by_teacher[teacher] = to_counts(counts);
  manifest.tallies = json.at("tallies").get<std::map<std::string, std::int64_t>>();
  manifest.seconds = json.at("seconds").get<std::map<std::string, double>>();
  manifest.cost_microusd = json.at("cost_microusd").get<std::int64_t>();
  manifest.ambiguous_microusd = json.at("ambiguous_microusd").get<std::int64_t>();
  manifest.ranks = json.at("ranks").get<std::int32_t>();
  manifest.accepted_partial_by = json.at("accepted_partial_by").get<std::string>();
  return manifest;
}

}  // namespace

std::string to_json(const Manifest& manifest) {
  Json by_teacher = Json::object();
  for (const auto& [teacher, counts] : manifest.by_teacher) by_teacher[teacher] = to_object(counts);
  Json json = {{"kind", kKind},
               {"version", Manifest::kVersion},
               {"campaign", manifest.campaign},
               {"stage", manifest.stage},
               {"round", manifest.round},
               {"attempt", manifest.attempt},
               {"job", manifest.job},
               {"software", manifest.software},
               {"created", iso8601(manifest.created_ms)},
               {"created_ms", manifest.created_ms},
               {"content", manifest.content.hex()},
               {"science", manifest.science.hex()},
               {"files", to_array(manifest.files)},
               {"inputs", to_array(manifest.inputs)},
               {"counts", to_object(manifest.counts)},
               {"by_teacher", by_teacher},
               {"tallies", manifest.tallies},
               {"seconds", manifest.seconds},
               {"cost_microusd", manifest.cost_microusd},
               {"ambiguous_microusd", manifest.ambiguous_microusd},
               {"ranks", manifest.ranks},
               {"accepted_partial_by", manifest.accepted_partial_by},
               {"config_toml", manifest.config_toml}};
  if (!manifest.input_files.empty()) json["input_files"] = to_array(manifest.input_files);
  json[kDigest] = sha256(dump(json)).hex();
  return dump(json);
}

Manifest parse_manifest(std::string_view text, std::string_view where) {
  const std::string path(where);
  try {
    const Json json = Json::parse(text);
    if (json.at("kind").get<std::string>() != kKind) throw DataError("not a manifest");
    const int version = json.at("version").get<int>();
    if (version != Manifest::kVersion)
      throw DataError("version " + std::to_string(version) + " (this build reads " +
                      std::to_string(Manifest::kVersion) +
                      ") use the evolvedirector that wrote it");
    check_digest(json);
    return from_object(json);
  } catch (const Json::exception& error) {
    throw DataError(path + ": damaged manifest (" + std::string(error.what()).substr(0, 160) +
                    ") restore the file, or rename the directory to redo the stage");
  } catch (const DataError& error) {
    throw DataError(path + ": " + error.what());
  }
}

std::optional<Manifest> read_manifest(const std::filesystem::path& directory) {
  const auto path = directory / kFile;
  if (!std::filesystem::exists(path)) return std::nullopt;
  return parse_manifest(fs::read_text(path, kMostBytes), path.string());
}

void publish_manifest(const std::filesystem::path& directory, const Manifest& manifest) {
  fs::publish(directory / kFile, to_json(manifest));
}

Sha256 content_of(const std::vector<FileEntry>& files) {
  std::vector<const FileEntry*> order;
  for (const auto& file : files)
    if (file.table != table_name<Call>() && file.table != table_name<Feature>())
      order.push_back(&file);
  std::sort(order.begin(), order.end(),
            [](const auto* a, const auto* b) { return a->name < b->name; });
  Sha256Stream stream;
  stream.field("evolvedirector result 1");
  for (const auto* file : order) stream.field(file->name).field(file->content.hex());
  return stream.finish();
}

}  // namespace evd::shard
