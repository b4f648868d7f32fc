#include "harvest/input.hpp"

#include <algorithm>
#include <array>
#include <string_view>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "shard/table.hpp"

namespace evd::harvest {
namespace {

constexpr const char* kFreshFile = "fresh.json";
constexpr int kMostRepeats = 10'000;

std::map<std::string, TeacherRecord> read_records(const run::Context& context) {
  std::map<std::string, TeacherRecord> records;
  if (context.config.draw.policy != run::DrawPolicy::bandit) return records;
  for (int round = 0; round < context.self.round; ++round) {
    const auto directory = context.campaign.directory({run::Stage::judge, round});
    add_records(shard::read_table<shard::Pair>(directory / "pairs.h5"), records);
  }
  return records;
}

// The harvest before was asked for all that had been open until then, so its rows tell everything.
std::set<std::pair<SampleId, std::string>> read_heldout_open(const run::Context& context) {
  static constexpr std::array<std::string_view, 4> kColumns = {"prompt_id", "split", "teacher",
                                                               "outcome"};
  std::set<std::pair<SampleId, std::string>> open;
  if (context.self.round == 0) return open;
  const run::StageRef before{run::Stage::harvest, context.self.round - 1};
  const auto manifest = context.campaign.manifest(before);
  if (!manifest)
    throw DataError(context.campaign.directory(before).string() + ": no manifest (run " +
                    to_string(before) + " first)");
  if (manifest->counts.open == 0) return open;
  for (const auto& file : manifest->files) {
    if (file.table != shard::table_name<shard::Image>()) continue;
    const shard::Table<shard::Image> table(context.campaign.directory(before) / file.name);
    for (const auto& row : table.read(kColumns))
      if (row.split == shard::Split::heldout && row.outcome == shard::Outcome::open)
        open.emplace(row.prompt_id, row.teacher.text);
  }
  return open;
}

bool any_known(const Input& input, int sample_index, const Archive& archive) {
  PlanRules rules = input.rules;
  rules.sample_index = sample_index;
  const auto draws = plan(input.set, rules);
  return std::any_of(draws.begin(), draws.end(),
                     [&](const Draw& draw) { return archive.knows(draw.key); });
}

int read_fresh(const std::filesystem::path& file) {
  const auto parsed = nlohmann::json::parse(fs::read_text(file), nullptr, false);
  if (!parsed.is_object() || !parsed.contains("sample_index") ||
      !parsed["sample_index"].is_number_integer())
    throw DataError(file.string() + ": damaged (remove it to go on without --rerun=fresh)");
  return parsed["sample_index"].get<int>();
}

}  // namespace

Input read_input(const run::Context& context) {
  const int round = context.self.round;
  const run::StageRef source =
      round == 0 ? run::StageRef{run::Stage::init, 0} : run::StageRef{run::Stage::judge, round - 1};
  Input input;
  input.set = shard::read_table<shard::Sample>(context.campaign.set_file(source));
  input.rules = {.teachers = context.config.teachers,
                 .policy = context.config.draw.policy,
                 .seed = context.config.campaign.seed,
                 .round = round,
                 .records = read_records(context),
                 .heldout_open = read_heldout_open(context)};
  return input;
}

int choose_sample_index(const run::Context& context, const Input& input, const Archive& archive) {
  const auto note = context.directory / kFreshFile;
  if (std::filesystem::exists(note)) return read_fresh(note);
  int newest = 0;
  if (any_known(input, 0, archive))
    while (newest < kMostRepeats && any_known(input, newest + 1, archive)) ++newest;
  if (context.rerun != run::Rerun::fresh) return newest;
  fs::publish(note, nlohmann::json{{"sample_index", newest + 1}}.dump() + "\n");
  return newest + 1;
}

}  // namespace evd::harvest
