#include "run/staleness.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"

namespace evd::run {
namespace {

struct Use {
  std::string_view prefix;
  std::array<Stage, 3> stages;
};

// The first prefix that fits decides. A stage is repeated where it is alone.
constexpr std::array kUses = {
    Use{"set.start_samples", {Stage::init, Stage::init, Stage::init}},
    Use{"set.", {Stage::init, Stage::judge, Stage::judge}},
    Use{"cap.", {Stage::judge, Stage::judge, Stage::judge}},
    // A published harvest is what it is; whether its prompts are judged or wait is the judge's.
    Use{"harvest.min_teachers", {Stage::judge, Stage::judge, Stage::judge}},
    Use{"draw.", {Stage::harvest, Stage::harvest, Stage::harvest}},
    Use{"judge.score_prompts", {Stage::score, Stage::score, Stage::score}},
    Use{"judge.image_side", {Stage::judge, Stage::score, Stage::score}},
    Use{"judge.tie_margin", {Stage::judge, Stage::score, Stage::score}},
    Use{"judge.max_asks", {Stage::judge, Stage::score, Stage::score}},
    Use{"judge.", {Stage::judge, Stage::judge, Stage::judge}},
    Use{"compute.", {Stage::train, Stage::evaluate, Stage::evaluate}},
    Use{"train.", {Stage::train, Stage::train, Stage::train}},
    Use{"evaluate.", {Stage::evaluate, Stage::evaluate, Stage::evaluate}},
    Use{"rehearsal.", {Stage::harvest, Stage::judge, Stage::score}},
    Use{"teacher.", {Stage::harvest, Stage::harvest, Stage::harvest}},
    Use{"vlm.", {Stage::judge, Stage::score, Stage::score}},
};

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::done:
      return "done";
    case State::stale:
      return "stale";
    case State::unfinished:
      return "not finished";
    case State::damaged:
      return "damaged";
  }
  return "?";
}

bool affects(std::string_view key, Stage stage) {
  const auto* use = std::find_if(kUses.begin(), kUses.end(),
                                 [&](const Use& u) { return key.starts_with(u.prefix); });
  return use != kUses.end() &&
         std::find(use->stages.begin(), use->stages.end(), stage) != use->stages.end();
}

Standings::Standings(ManifestOf manifest_of, ConfigOf config_of)
    : manifest_of_(std::move(manifest_of)), config_of_(std::move(config_of)) {}

Standings::Standings(const Campaign& campaign)
    : Standings([&campaign](const StageRef& ref) { return campaign.manifest(ref); },
                [&campaign](int round) { return campaign.config(round); }) {}

const Config& Standings::config(int round) {
  const auto found = configs_.find(round);
  if (found != configs_.end()) return found->second;
  return configs_.emplace(round, config_of_(round)).first->second;
}

const Standings::Entry& Standings::entry(const StageRef& ref) {
  const auto found = entries_.find(ref);
  if (found != entries_.end()) return found->second;
  Entry entry;
  try {
    entry.manifest = manifest_of_(ref);
  } catch (const DataError& error) {
    entry.damage = error.what();
  }
  return entries_.emplace(ref, std::move(entry)).first->second;
}

const std::optional<shard::Manifest>& Standings::manifest(const StageRef& ref) {
  return entry(ref).manifest;
}

std::vector<StageRef> Standings::inputs(const StageRef& ref) {
  return inputs_of(ref, config(ref.round).train.staleness);
}

const Standing& Standings::of(const StageRef& ref) {
  const auto found = standings_.find(ref);
  if (found != standings_.end()) return found->second;
  return standings_.emplace(ref, stand(ref)).first->second;
}

Standing Standings::stand(const StageRef& ref) {
  const auto& [manifest, damage] = entry(ref);
  if (!damage.empty()) return {State::damaged, damage};
  if (!manifest) return {State::unfinished, "it has no MANIFEST.json"};
  if (auto why = changed_input(ref, *manifest); !why.empty()) return {State::stale, why};
  if (auto why = changed_key(ref, *manifest); !why.empty()) return {State::stale, why};
  return {State::done, ""};
}

std::string Standings::changed_input(const StageRef& ref, const shard::Manifest& manifest) {
  for (const auto& input : inputs(ref)) {
    const auto recorded =
        std::find_if(manifest.inputs.begin(), manifest.inputs.end(), [&](const auto& old) {
          return old.stage == name(input.stage) && old.round == input.round;
        });
    if (recorded == manifest.inputs.end()) return "it was made without " + to_string(input);
    switch (of(input).state) {
      case State::unfinished:
        return to_string(input) + " is not finished again";
      case State::damaged:
        return to_string(input) + " is damaged";
      case State::stale:
        return to_string(input) + " is stale";
      case State::done:
        break;
    }
    if (recorded->content != entry(input).manifest->content)
      return to_string(input) + " has another content now";
  }
  return "";
}

std::string Standings::changed_key(const StageRef& ref, const shard::Manifest& manifest) {
  // init decides once; later changes of its keys concern what the judge makes.
  if (ref.stage == Stage::init || manifest.science == science_digest(config(ref.round))) return "";
  Config then;
  try {
    then = parse_config(manifest.config_toml, to_string(ref) + "'s configuration");
  } catch (const ConfigurationError&) {
    return "";  // written by a version with other keys, which is a note and no reason
  }
  for (const auto& change : changes(then, config(ref.round))) {
    if (change.scope == Scope::science && affects(change.path, ref.stage))
      return change.path + " was " + (change.before.empty() ? "not there" : change.before) +
             ", is now " + (change.after.empty() ? "gone" : change.after);
  }
  return "";
}

}  // namespace evd::run
