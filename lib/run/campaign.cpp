#include "run/campaign.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"

namespace evd::run {
namespace {

constexpr const char* kManifest = "MANIFEST.json";

std::string round_name(int round) { return round == kStartRound ? "start" : format("%04d", round); }

// Round that a directory under rounds/ is of; -1 for anything else.
int round_of(const std::filesystem::path& directory) {
  const std::string name = directory.filename().string();
  int round = -1;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), round);
  return error == std::errc{} && end == name.data() + name.size() ? round : -1;
}

}  // namespace

std::string to_string(const StageRef& ref) {
  const std::string stage(name(ref.stage));
  if (ref.stage == Stage::init) return stage;
  return stage + "(" + (ref.round == kStartRound ? "start" : std::to_string(ref.round)) + ")";
}

std::string file_stem(const StageRef& ref) {
  return std::string(name(ref.stage)) + "-" + round_name(ref.round);
}

std::string arguments_of(const StageRef& ref) {
  const std::string score = ref.stage == Stage::score ? " --score" : "";
  return (ref.round == kStartRound ? "--start" : "--round " + std::to_string(ref.round)) + score;
}

std::string program_of(Stage stage) {
  if (stage == Stage::init) return "evd";
  return "evd-" + std::string(name(stage == Stage::score ? Stage::judge : stage));
}

std::vector<StageRef> inputs_of(const StageRef& ref, int staleness) {
  using enum Stage;
  const int r = ref.round;
  const StageRef prompts{init, 0};
  const StageRef trained_on{judge, std::max(0, r - staleness)};
  switch (ref.stage) {
    case init:
      return {};
    case harvest:
      if (r == 0) return {prompts};
      return {{judge, r - 1}};
    case judge:
      if (r == 0) return {prompts, {harvest, 0}};
      return {{judge, r - 1}, {harvest, r}, {evaluate, r - 1}};
    case train:
      if (r == 0) return {{judge, 0}};
      return {{train, r - 1}, trained_on};
    case evaluate:
      if (r == kStartRound) return {prompts};
      return {{train, r}, prompts, trained_on};
    case score:
      return {{evaluate, r}, {harvest, 0}};
  }
  throw InternalError("no such stage");
}

std::vector<StageRef> chain(int rounds) {
  using enum Stage;
  // train(r) waits for judge(r) only when staleness is 0; this order holds for both.
  std::vector<StageRef> order;
  for (int r = 0; r < rounds; ++r) {
    order.push_back({harvest, r});
    if (r == 0) {
      order.push_back({evaluate, kStartRound});
      order.push_back({score, kStartRound});
    }
    for (const auto stage : {judge, train, evaluate, score}) order.push_back({stage, r});
  }
  return order;
}

std::optional<std::string> lost_manifest(const std::filesystem::path& root) {
  std::error_code trouble;
  for (const char* part : {"rounds", "start", "calls"}) {
    // What cannot be looked into counts as work.
    if (!std::filesystem::exists(root / part, trouble) && !trouble) continue;
    if (std::filesystem::is_empty(root / part, trouble)) continue;
    return root.string() + ": prompts/MANIFEST.json is lost, but " + part +
           "/ holds work of this campaign (a new `evd init` would draw another campaign id, to "
           "which none of that belongs); restore prompts/ from a copy";
  }
  return std::nullopt;
}

Campaign::Campaign(std::filesystem::path root) : root_(std::move(root)) {
  std::error_code trouble;
  if (!std::filesystem::exists(root_ / "campaign.toml", trouble)) {
    if (trouble) throw IoError("look into " + root_.string() + ": " + trouble.message());
    throw ConfigurationError(root_.string() +
                             " holds no campaign (no campaign.toml); make one: evd init " +
                             shell_word(root_.string()) + " --config FILE --prompts FILE");
  }
  const auto init = shard::read_manifest(directory({Stage::init, 0}));
  if (!init) {
    if (const auto lost = lost_manifest(root_)) throw ConfigurationError(*lost);
    throw ConfigurationError(root_.string() +
                             ": its `evd init` did not finish (no prompts/MANIFEST.json); type the "
                             "same `evd init` again");
  }
  id_ = CampaignId::parse(init->campaign);
  begun_with_ =
      parse_config(init->config_toml, (directory({Stage::init, 0}) / "MANIFEST.json").string());
}

std::filesystem::path Campaign::directory(const StageRef& ref) const {
  if (ref.stage == Stage::init) return root_ / "prompts";
  const auto round =
      ref.round == kStartRound ? root_ / "start" : root_ / "rounds" / round_name(ref.round);
  return round / name(ref.stage);
}

std::filesystem::path Campaign::lease_file(const StageRef& ref) const {
  return root_ / "leases" / (file_stem(ref) + ".json");
}

std::filesystem::path Campaign::progress_file(const StageRef& ref) const {
  return root_ / "leases" / (file_stem(ref) + ".progress.json");
}

std::map<int, std::filesystem::path> Campaign::config_files() const {
  std::map<int, std::filesystem::path> files = {{kStartRound, root_ / "campaign.toml"}};
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator(root_ / "rounds", ignored)) {
    const int round = round_of(entry.path());
    auto file = entry.path() / "config.toml";
    if (round >= 0 && std::filesystem::exists(file, ignored)) files.emplace(round, std::move(file));
  }
  return files;
}

std::filesystem::path Campaign::config_file(int round) const {
  const auto files = config_files();
  return std::prev(files.upper_bound(std::max(round, kStartRound)))->second;
}

Config Campaign::config(int round) const {
  const auto path = config_file(round);
  auto config = parse_config(fs::read_text(path), path.string());
  // An emptied or foreign file would silently be another campaign.
  for (const auto& change : changes(begun_with_, config))
    if (change.scope == Scope::identity)
      throw DataError(path.string() + ": " + change.path + " is " + change.after +
                      ", but the campaign was made with " + change.before +
                      " (restore the file; what it was made with stands in "
                      "prompts/MANIFEST.json, config_toml)");
  return config;
}

std::optional<shard::Manifest> Campaign::manifest(const StageRef& ref) const {
  auto manifest = shard::read_manifest(directory(ref));
  if (manifest && (manifest->campaign != id_.hex() || manifest->stage != name(ref.stage) ||
                   manifest->round != ref.round)) {
    throw DataError((directory(ref) / kManifest).string() + ": is of " + manifest->stage +
                    " round " + std::to_string(manifest->round) + " of campaign " +
                    manifest->campaign + ", not of " + to_string(ref) +
                    " of this one (was it copied here?)");
  }
  return manifest;
}

std::filesystem::path Campaign::set_file(const StageRef& ref) const {
  return directory(ref) / "set.h5";
}

int Campaign::rounds_begun() const {
  int rounds = 0;
  std::error_code ignored;
  while (std::filesystem::exists(root_ / "rounds" / round_name(rounds), ignored)) ++rounds;
  return rounds;
}

}  // namespace evd::run
