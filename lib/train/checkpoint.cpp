#include "train/checkpoint.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;
constexpr int kIndexVersion = 2;
constexpr std::array kParts = {".json", ".h5", ".safetensors"};  // of a state, its index first
constexpr const char* kFinished = "state.json";                  // index of the results themselves
constexpr std::uint64_t kMaxIndexBytes = 1 << 16;

shard::FileEntry weights_entry(const std::string& name, const nn::WrittenFile& written) {
  return {name, "", 0, written.bytes, written.sha256, written.sha256};
}

struct Index {
  std::string state;
  Sha256 state_sha256;
  std::string steps;
  Sha256 steps_content;  // not of the bytes: a finished round is published again with another date
};

std::string to_json(const Index& index) {
  const nlohmann::json json = {{"version", kIndexVersion},
                               {"state", index.state},
                               {"state_sha256", index.state_sha256.hex()},
                               {"steps", index.steps},
                               {"steps_content", index.steps_content.hex()}};
  return json.dump(2) + "\n";
}

Index read_index(const stdfs::path& path) {
  const auto json = nlohmann::json::parse(fs::read_text(path, kMaxIndexBytes), nullptr, false);
  const auto text = [&](const char* key) {
    if (!json.is_object() || !json.contains(key) || !json[key].is_string()) {
      throw DataError(path.string() + ": not an index of a resume state (" + key + ")");
    }
    return json[key].get<std::string>();
  };
  return {text("state"), Sha256::parse(text("state_sha256")), text("steps"),
          Sha256::parse(text("steps_content"))};
}

bool is_there(const stdfs::path& path) {
  std::error_code trouble;
  const bool found = stdfs::exists(path, trouble);
  if (trouble) throw IoError("look for " + path.string() + ": " + trouble.message());
  return found;
}

void require(bool holds, const stdfs::path& path, const std::string& problem) {
  if (!holds) throw DataError(path.string() + ": " + problem);
}

}  // namespace

Checkpoints::Checkpoints(stdfs::path directory, const nn::Layout& layout, const Sha256& key,
                         shard::FileHeader header, int keep, const Log& log)
    : directory_(std::move(directory)),
      layout_(layout),
      key_(key),
      header_(std::move(header)),
      keep_(keep),
      log_(log) {}

void Checkpoints::save(const State& state, std::span<const shard::Step> steps) {
  const auto folder = directory_ / "state";
  fs::make_directory(folder);
  const std::string name = format("step-%09lld", static_cast<long long>(state.round_step));
  Index index;
  index.state = name + ".safetensors";
  index.steps = name + ".h5";
  index.state_sha256 = write_state(folder / index.state, layout_, state, key_).sha256;
  index.steps_content =
      shard::write_table<shard::Step>(folder / index.steps, header_, steps).content;
  fs::publish(folder / (name + ".json"), to_json(index));
  remove_beyond(static_cast<std::size_t>(keep_));
}

std::vector<stdfs::path> Checkpoints::indices() const {
  std::vector<stdfs::path> found;
  const auto folder = directory_ / "state";
  if (is_there(folder)) {
    for (const auto& entry : stdfs::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") found.push_back(entry.path());
    }
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

void Checkpoints::remove(const stdfs::path& index) {
  // The index goes first: what it named is then no longer part of any state.
  for (const char* extension : kParts) {
    stdfs::remove(stdfs::path(index).replace_extension(extension));
  }
}

void Checkpoints::remove_beyond(std::size_t keep) const {
  const auto all = indices();
  for (std::size_t i = keep; i < all.size(); ++i) remove(all[i]);
}

Resumed Checkpoints::load(const stdfs::path& index_file) const {
  const Index index = read_index(index_file);
  const auto state_file = index_file.parent_path() / index.state;
  const auto steps_file = index_file.parent_path() / index.steps;
  for (const auto& file : {state_file, steps_file}) require(is_there(file), file, "missing");
  auto steps = shard::read_table<shard::Step>(steps_file);
  require(shard::content_digest<shard::Step>(steps) == index.steps_content, steps_file, "damaged");
  auto stored = read_state(state_file, layout_);
  require(stored.sha256 == index.state_sha256, state_file, "damaged");
  require(stored.key == key_, state_file,
          "the state belongs to other settings, another set or other start weights");
  require(static_cast<std::int64_t>(steps.size()) == stored.state.round_step, steps_file,
          "not the steps of the state beside it");
  return {std::move(stored.state), std::move(steps), index_file};
}

std::optional<Resumed> Checkpoints::attempt(const stdfs::path& index) const {
  try {
    return load(index);
  } catch (const DataError& error) {
    log_.warning("resume state " + index.filename().string() +
                 " is passed over and set aside: " + error.what());
    set_aside(index);
    return std::nullopt;
  }
}

void Checkpoints::set_aside(const stdfs::path& index) const {
  stdfs::path place;
  for (int i = 1; place.empty() || is_there(place); ++i) {
    place = directory_ / "state" / format("set-aside-%03d", i);
  }
  fs::make_directory(place);
  for (const char* extension : kParts) {
    const auto file = stdfs::path(index).replace_extension(extension);
    // The steps of a finished round have another stem; they are written anew.
    if (is_there(file)) fs::rename(file, place / file.filename());
  }
}

std::optional<Resumed> Checkpoints::newest() {
  static_cast<void>(fs::remove_leftovers(directory_ / "state"));
  // A finished round whose manifest was not published.
  if (is_there(directory_ / kFinished)) {
    if (auto resumed = attempt(directory_ / kFinished)) return resumed;
  }
  for (const auto& index : indices()) {
    if (auto resumed = attempt(index)) return resumed;
  }
  return std::nullopt;
}

std::vector<shard::FileEntry> Checkpoints::finish(const State& state,
                                                  std::span<const shard::Step> steps) {
  std::vector<shard::FileEntry> files;
  const auto average = state.average.values();
  const auto written = write_state(directory_ / "state.safetensors", layout_, state, key_);
  files.push_back(weights_entry("state.safetensors", written));
  files.push_back(shard::write_table<shard::Step>(directory_ / "steps.h5", header_, steps));
  const Index index{"state.safetensors", written.sha256, "steps.h5", files.back().content};
  files.push_back(weights_entry(
      "model.safetensors",
      nn::write_model(directory_ / "model.safetensors", layout_,
                      {std::vector<float>(average.begin(), average.end()), state.null_text})));
  fs::publish(directory_ / kFinished, to_json(index));
  std::error_code ignored;
  stdfs::remove_all(directory_ / "state", ignored);
  return files;
}

}  // namespace evd::train
