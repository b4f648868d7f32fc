#include "judge/load.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "judge/training_count.hpp"
#include "shard/table.hpp"

namespace evd::judge {
namespace {

using run::Stage;
using run::StageRef;
using shard::Image;
using shard::Sample;
using shard::Status;

constexpr const char* kAsking = "asking.json";

constexpr std::array<std::string_view, 12> kPictureColumns = {
    "id",     "prompt_id", "split",  "teacher",       "sample_index", "outcome",
    "origin", "width",     "height", "cost_microusd", "checkpoint",   "sha256"};

shard::Manifest manifest_of(const run::Campaign& campaign, const StageRef& ref) {
  auto manifest = campaign.manifest(ref);
  if (manifest) return std::move(*manifest);
  throw DataError(campaign.directory(ref).string() + ": no manifest (run " + to_string(ref) +
                  " first)");
}

int order_of(const std::vector<std::string>& teachers, const std::string& teacher) {
  return static_cast<int>(std::find(teachers.begin(), teachers.end(), teacher) - teachers.begin());
}

Picture picture_of(const Image& row, const shard::ImageLocation& where, const Rules& rules) {
  return {.id = row.id,
          .prompt = row.prompt_id,
          .split = row.split,
          .outcome = row.outcome,
          .teacher = row.teacher.text,
          .teacher_order = order_of(rules.teachers, row.teacher.text),
          .sample_index = row.sample_index,
          .width = row.width,
          .height = row.height,
          .cost_microusd = row.cost_microusd,
          .sha256 = row.sha256,
          .checkpoint = row.checkpoint,
          .where = where};
}

// All pictures of one split that a stage published.
std::vector<Picture> pictures_of(const run::Campaign& campaign, const StageRef& ref,
                                 shard::Split split, const Rules& rules) {
  std::vector<Picture> pictures;
  for (const auto& file : manifest_of(campaign, ref).files) {
    if (file.table != shard::table_name<Image>()) continue;
    const auto rows =
        shard::Table<Image>(campaign.directory(ref) / file.name).read(kPictureColumns);
    for (std::size_t i = 0; i < rows.size(); ++i)
      if (rows[i].split == split)
        pictures.push_back(picture_of(rows[i], {file.sha256, static_cast<std::int32_t>(i)}, rules));
  }
  return pictures;
}

// The targets of the rendered members, file by file.
std::unordered_map<SampleId, Picture> targets_of(const State& state, const Rules& rules,
                                                 const shard::Catalog& catalog) {
  std::map<Sha256, std::vector<const Sample*>> by_file;
  for (const auto& render : state.renders)
    if (const auto index = find_sample(state, render.prompt))
      if (const auto& sample = state.set[*index]; sample.status == Status::member)
        by_file[sample.target_shard].push_back(&sample);
  std::unordered_map<SampleId, Picture> targets;
  for (const auto& [shard, samples] : by_file) {
    const auto path = catalog.path(shard);
    const auto rows = shard::Table<Image>(path).read(kPictureColumns);
    for (const auto* sample : samples) {
      const auto row = sample->target_row;
      if (row < 0 || row >= std::ssize(rows) ||
          rows[static_cast<std::size_t>(row)].id != sample->target_image)
        throw DataError(path.string() + ": row " + std::to_string(row) +
                        " is not the target of sample " + sample->id.hex() +
                        " that the set points at (try evd verify)");
      targets[sample->id] = picture_of(rows[static_cast<std::size_t>(row)], {shard, row}, rules);
    }
  }
  return targets;
}

// The targets of the set that evaluate(round) rendered; nothing when that is judge(round) itself.
std::optional<std::unordered_map<SampleId, ImageId>> rendered_against(const run::Campaign& campaign,
                                                                      int round) {
  static constexpr std::array<std::string_view, 3> kColumns = {"id", "status", "target_image"};
  for (const auto& input : manifest_of(campaign, {Stage::evaluate, round}).inputs) {
    if (input.stage != name(Stage::judge)) continue;
    if (input.round == round) return std::nullopt;
    std::unordered_map<SampleId, ImageId> targets;
    const auto file = campaign.set_file({Stage::judge, input.round});
    for (const auto& sample : shard::Table<Sample>(file).read(kColumns))
      if (sample.status == Status::member) targets[sample.id] = sample.target_image;
    return targets;
  }
  return std::nullopt;
}

std::vector<std::filesystem::path> retired(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  const std::string prefix = directory.filename().string() + ".retired-";
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory.parent_path(), error), end;
       !error && at != end; at.increment(error))
    if (at->path().filename().string().starts_with(prefix)) found.push_back(at->path());
  std::sort(found.rbegin(), found.rend());  // newest first
  return found;
}

int epoch_in(const std::filesystem::path& directory) {
  std::error_code error;
  if (!std::filesystem::exists(directory / kAsking, error)) return 0;
  const auto json = nlohmann::json::parse(fs::read_text(directory / kAsking, 4096), nullptr, false);
  return json.is_object() ? json.value("epoch", 0) : 0;
}

int decide_epoch(const run::Context& context) {
  std::error_code error;
  if (std::filesystem::exists(context.directory / kAsking, error))
    return epoch_in(context.directory);
  int epoch = 0;
  for (const auto& directory : retired(context.directory))
    epoch = std::max(epoch, epoch_in(directory));
  if (context.rerun == run::Rerun::fresh) ++epoch;
  if (epoch > 0)
    fs::publish(context.directory / kAsking, nlohmann::json{{"epoch", epoch}}.dump() + "\n");
  return epoch;
}

// The newest harvest that evaluate(round) rests on: its set was judged on that one. Later ones may
// be there or not, so score never looks at them.
int newest_harvest(const run::Context& context) {
  int newest = 0;
  const StageRef renders{Stage::evaluate, context.self.round};
  for (const auto& input : run::inputs_of(renders, context.config.train.staleness))
    if (input.stage == Stage::judge) newest = input.round;
  return newest;
}

}  // namespace

State load_state(const run::Context& context, const Rules& rules, const shard::Catalog& catalog) {
  const auto& campaign = context.campaign;
  const int round = context.self.round;
  const StageRef previous =
      round == 0 ? StageRef{Stage::init, 0} : StageRef{Stage::judge, round - 1};
  State state;
  state.set = shard::read_table<Sample>(campaign.set_file(previous));
  state.drawn = pictures_of(campaign, {Stage::harvest, round}, shard::Split::train, rules);
  if (round > 0 && rules.judge.discriminate) {
    state.renders = pictures_of(campaign, {Stage::evaluate, round - 1}, shard::Split::train, rules);
    state.rendered_against = rendered_against(campaign, round - 1);
  }
  sort_state(state);
  if (round > 0) count_training(state, campaign, rules.seed, round - 1);
  state.targets = targets_of(state, rules, catalog);
  return state;
}

ScoreState load_score_state(const run::Context& context, const Rules& rules) {
  const auto& campaign = context.campaign;
  ScoreState state;
  for (auto& sample : shard::read_table<Sample>(campaign.set_file({Stage::init, 0})))
    if (sample.status == Status::heldout) state.prompts.push_back(std::move(sample));
  state.renders =
      pictures_of(campaign, {Stage::evaluate, context.self.round}, shard::Split::heldout, rules);
  for (int round = 0; round <= newest_harvest(context); ++round) {
    auto drawn = pictures_of(campaign, {Stage::harvest, round}, shard::Split::heldout, rules);
    state.drawn.insert(state.drawn.end(), std::make_move_iterator(drawn.begin()),
                       std::make_move_iterator(drawn.end()));
  }
  state.ceiling = context.self.round == run::kStartRound;
  choose_prompts(state, rules);
  return state;
}

void take_published(const run::Context& context, const std::unordered_set<SampleId>& samples,
                    AnswerBook& book) {
  const auto take = [&](const std::filesystem::path& directory, AnswerBook::Origin origin) {
    std::error_code error;
    const auto file = directory / "answers.h5";
    if (!std::filesystem::exists(file, error)) return;
    try {
      book.take(file, samples, origin);
    } catch (const Error& damaged) {
      // The journals have the answers too; what they lack is asked again.
      context.log.warning(std::string(damaged.what()) + "; its answers are not used");
    }
  };
  for (const auto& directory : retired(context.directory)) take(directory, AnswerBook::Origin::own);
  if (context.self.stage == Stage::judge && context.self.round > 0)
    take(context.campaign.directory({Stage::judge, context.self.round - 1}),
         AnswerBook::Origin::carried);
}

int ask_epoch(const run::Context& context) {
  const std::int64_t own = context.world.rank() == 0 ? decide_epoch(context) : 0;
  return static_cast<int>(context.world.all_reduce(own, mpi::Reduce::max));
}

}  // namespace evd::judge
