#include "retired_results.hpp"

#include <algorithm>
#include <array>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"

namespace evd::hands {
namespace {

using run::Stage;
namespace stdfs = std::filesystem;

// Names in `parent` that begin and end so, the last first. IoError when it cannot be listed.
std::vector<stdfs::path> entries_in(const stdfs::path& parent, const std::string& begin,
                                    const std::string& end) {
  std::vector<stdfs::path> found;
  std::error_code error;
  for (stdfs::directory_iterator at(parent, error), none; !error && at != none;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with(begin) && name.ends_with(end)) found.push_back(at->path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw IoError("list " + parent.string() + ": " + error.message());
  std::sort(found.rbegin(), found.rend());
  return found;
}

// As the stage counts them: how often all questions were asked anew (asking.json).
int ask_epoch(const stdfs::path& directory) {
  const auto file = directory / "asking.json";
  std::error_code error;
  if (!stdfs::exists(file, error) && !error) return 0;
  const auto json = nlohmann::json::parse(fs::read_text(file, 4096), nullptr, false);
  if (!json.is_object() || !json.contains("epoch") || !json["epoch"].is_number_integer())
    throw DataError(file.string() + ": damaged (it says how often all was asked anew)");
  return json["epoch"].get<int>();
}

std::string counted(std::int64_t count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

std::string alone(std::int64_t count, const std::string& what) {
  return counted(count, what) + (count == 1 ? " stands" : " stand") + " nowhere else";
}

}  // namespace

std::vector<RetiredResult> retired_results(const run::Campaign& campaign) {
  std::vector<RetiredResult> found;
  for (const auto& ref : all_stages(campaign)) {
    const auto directory = campaign.directory(ref);
    for (auto& old :
         entries_in(directory.parent_path(), directory.filename().string() + ".retired-", ""))
      found.push_back({ref, std::move(old)});
  }
  return found;
}

RetiredJudgement::RetiredJudgement(const CurrentResults& current,
                                   const std::vector<RetiredResult>& results)
    : current_(current), copies_(current) {
  const auto any_of = [&](std::initializer_list<Stage> stages) {
    return std::any_of(results.begin(), results.end(), [&](const auto& result) {
      return std::find(stages.begin(), stages.end(), result.ref.stage) != stages.end();
    });
  };
  if (any_of({Stage::harvest, Stage::evaluate})) {
    static_cast<void>(current.missing_shards());
    static_cast<void>(current.missing_pictures());
  }
  if (any_of({Stage::harvest})) copies_.load_pictures();
  for (const auto& result : results)
    if (result.ref.stage == Stage::judge || result.ref.stage == Stage::score)
      copies_.load_answers(result.ref);
}

std::optional<std::string> RetiredJudgement::why_kept(const RetiredResult& result) {
  const auto& [ref, directory] = result;
  const auto manifest = shard::read_manifest(directory);
  if (manifest && (manifest->campaign != current_.campaign().id().hex() ||
                   manifest->stage != name(ref.stage) || manifest->round != ref.round))
    throw DataError((directory / "MANIFEST.json").string() + ": is of " + manifest->stage +
                    " round " + std::to_string(manifest->round) + " of campaign " +
                    manifest->campaign + " (was it copied here?)");
  if (current_.find(ref) == nullptr) return to_string(ref) + " is not done again yet";
  if (manifest)
    if (const auto reader = current_.made_from(ref, manifest->content);
        reader && kept_inputs_.emplace(ref, manifest->content).second)
      return to_string(*reader) + " was made from it";
  std::string why;
  if (ref.stage == Stage::harvest) why = needed_harvest(result);
  if (ref.stage == Stage::judge || ref.stage == Stage::score) why = needed_answers(result);
  if (ref.stage == Stage::train && manifest) why = needed_features(*manifest);
  if (ref.stage == Stage::evaluate) why = needed_pictures(entries_in(directory, "renders-", ".h5"));
  if (why.empty()) return std::nullopt;
  return why;
}

std::string RetiredJudgement::needed_features(const shard::Manifest& manifest) const {
  for (const auto& file : manifest.files)
    if (current_.reads_file(file.sha256)) return "features of others lie in its " + file.name;
  return "";
}

std::string RetiredJudgement::needed_harvest(const RetiredResult& result) {
  const auto files = entries_in(result.directory, "images-", ".h5");
  std::string why = needed_pictures(files);
  if (why.empty()) {
    std::int64_t only_here = 0;
    for (const auto& file : files) only_here += copies_.pictures_only_in(file);
    if (only_here > 0) why = alone(only_here, "paid answer");
  }
  if (!why.empty())
    for (const auto& file : files) copies_.keep_pictures(file);
  return why;
}

// What sets point at, by file, and what decided pairs show, by picture.
std::string RetiredJudgement::needed_pictures(const std::vector<stdfs::path>& files) {
  static constexpr std::array<std::string_view, 1> kColumns = {"id"};
  const auto& shards = current_.missing_shards();
  const auto& pictures = current_.missing_pictures();
  std::int64_t shown = 0;
  for (const auto& file : files) {
    if (!shards.empty() && shards.contains(fs::sha256_file(file)))
      return "training targets lie in its " + file.filename().string();
    if (pictures.empty()) continue;
    for (const auto& row : shard::Table<shard::Image>(file).read(kColumns))
      shown += pictures.contains(row.id) ? 1 : 0;
  }
  return shown == 0 ? "" : counted(shown, "picture") + " of decided pairs lie here alone";
}

std::string RetiredJudgement::needed_answers(const RetiredResult& result) {
  // A rerun takes the highest of all that there are: without it, the first answers would count
  // again.
  if (ask_epoch(result.directory) > ask_epoch(current_.campaign().directory(result.ref)))
    return "it says how often all was asked anew (asking.json)";
  const auto files = entries_in(result.directory, "answers", ".h5");
  std::int64_t only_here = 0;
  for (const auto& file : files) only_here += copies_.answers_only_in(result.ref, file);
  if (only_here == 0) return "";
  for (const auto& file : files) copies_.keep_answers(result.ref, file);
  return alone(only_here, "paid answer");
}

}  // namespace evd::hands
