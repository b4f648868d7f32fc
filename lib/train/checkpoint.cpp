#include "train/checkpoint.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;
constexpr int kIndexVersion = 1;
constexpr std::uint64_t kMaxIndexBytes = 1 << 16;

shard::FileEntry weights_entry(const std::string& name, const nn::WrittenFile& written) {
  return {name, "", 0, written.bytes, written.sha256, written.sha256};
}

struct Index {
  std::string state;
  Sha256 state_sha256;
  std::string steps;
  Sha256 steps_sha256;
};

std::string to_json(const Index& index) {
  const nlohmann::json json = {{"version", kIndexVersion},
                               {"state", index.state},
                               {"state_sha256", index.state_sha256.hex()},
                               {"steps", index.steps},
                               {"steps_sha256", index.steps_sha256.hex()}};
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
          Sha256::parse(text("steps_sha256"))};
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
  index.steps_sha256 = shard::write_table<shard::Step>(folder / index.steps, header_, steps).sha256;
  fs::publish(folder / (name + ".json"), to_json(index));
  remove_beyond(static_cast<std::size_t>(keep_));
}

std::vector<stdfs::path> Checkpoints::indices() const {
  std::vector<stdfs::path> found;
  const auto folder = directory_ / "state";
  if (stdfs::exists(folder)) {
    for (const auto& entry : stdfs::directory_iterator(folder)) {
      if (entry.path().extension() == ".json") found.push_back(entry.path());
    }
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

void Checkpoints::remove(const stdfs::path& index) {
  // The index goes first: what it named is then no longer part of any state.
  for (const char* extension : {".json", ".h5", ".safetensors"}) {
    stdfs::remove(stdfs::path(index).replace_extension(extension));
  }
}

void Checkpoints::remove_beyond(std::size_t keep) const {
  const auto all = indices();
  for (std::size_t i = keep; i < all.size(); ++i) remove(all[i]);
}

Resumed Checkpoints::checked(StoredState stored, const stdfs::path& steps_file) const {
  require(stored.key == key_, steps_file.parent_path(),
          "the state belongs to other settings, another set or other start weights");
  auto steps = shard::read_table<shard::Step>(steps_file);
  require(static_cast<std::int64_t>(steps.size()) == stored.state.round_step, steps_file,
          "not the steps of the state beside it");
  return {std::move(stored.state), std::move(steps), {}};
}

Resumed Checkpoints::load(const stdfs::path& index_file) const {
  const Index index = read_index(index_file);
  const auto folder = index_file.parent_path();
  const auto steps_file = folder / index.steps;
  require(fs::sha256_file(steps_file) == index.steps_sha256, steps_file, "damaged");
  auto stored = read_state(folder / index.state, layout_);
  require(stored.sha256 == index.state_sha256, folder / index.state, "damaged");
  return checked(std::move(stored), steps_file);
}

std::optional<Resumed> Checkpoints::newest() {
  const auto attempt = [&](const stdfs::path& path,
                           const std::function<Resumed()>& read) -> std::optional<Resumed> {
    try {
      auto resumed = read();
      resumed.from = path;
      return resumed;
    } catch (const Error& error) {
      log_.warning("resume state " + path.filename().string() + " is passed over: " + error.what());
      return std::nullopt;
    }
  };
  // A finished round whose manifest was not published: all its files stand in the directory itself.
  const auto final_state = directory_ / "state.safetensors";
  const auto final_steps = directory_ / "steps.h5";
  if (stdfs::exists(final_state) && stdfs::exists(final_steps)) {
    auto resumed = attempt(final_state,
                           [&] { return checked(read_state(final_state, layout_), final_steps); });
    if (resumed) return resumed;
  }
  for (const auto& index : indices()) {
    if (auto resumed = attempt(index, [&] { return load(index); })) return resumed;
    remove(index);
  }
  return std::nullopt;
}

std::vector<shard::FileEntry> Checkpoints::finish(const State& state,
                                                  std::span<const shard::Step> steps) {
  std::vector<shard::FileEntry> files;
  const auto average = state.average.values();
  files.push_back(weights_entry(
      "state.safetensors", write_state(directory_ / "state.safetensors", layout_, state, key_)));
  files.push_back(shard::write_table<shard::Step>(directory_ / "steps.h5", header_, steps));
  files.push_back(weights_entry(
      "model.safetensors",
      nn::write_model(directory_ / "model.safetensors", layout_,
                      {std::vector<float>(average.begin(), average.end()), state.null_text})));
  std::error_code ignored;
  stdfs::remove_all(directory_ / "state", ignored);
  return files;
}

}  // namespace evd::train
