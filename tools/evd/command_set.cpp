#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "history.hpp"
#include "run/campaign.hpp"
#include "run/staleness.hpp"
#include "submitted_jobs.hpp"

namespace evd::hands {
namespace {

using run::Stage;

struct SetOptions {
  std::filesystem::path directory;
  std::vector<std::string> settings;
  std::optional<int> from;
};

// A change, and the first round whose configuration it changes.
struct Planned {
  run::Change change;
  int round = 0;
};

void refuse_if_fixed(const run::Change& change, const SetOptions& options) {
  if (change.scope == Scope::identity)
    throw ConfigurationError(change.path +
                             " is part of what the campaign is and never changes; make another "
                             "campaign: evd init");
  if (change.scope == Scope::science && run::affects(change.path, Stage::init) &&
      !run::affects(change.path, Stage::judge))
    throw ConfigurationError(change.path +
                             " was used by evd init and cannot change any more; make another "
                             "campaign: evd init");
  if (change.path.starts_with("teacher.") && change.path.ends_with(".name"))
    throw ConfigurationError(change.path +
                             " cannot change: what is published knows the teacher by its name");
  if (change.scope == Scope::science && !options.from)
    throw UsageError(change.path + " takes part in results: from which round on? Add --from ROUND");
}

// What the settings change; refuses what may not change. Every configuration is looked at: a key
// that round `from` has already may have another value in a later round's file.
std::vector<Planned> planned(const run::Campaign& campaign, int from, const SetOptions& options) {
  const auto first = campaign.config_file(from);
  std::vector<Planned> plan;
  for (const auto& [round, path] : campaign.config_files()) {
    const auto before = run::parse_config(fs::read_text(path), path.string());
    auto after = before;
    run::apply_settings(after, options.settings);
    for (auto& change : run::changes(before, after)) {
      refuse_if_fixed(change, options);
      if (change.scope == Scope::science && round <= from && path != first) continue;
      if (std::none_of(plan.begin(), plan.end(),
                       [&](const auto& known) { return known.change.path == change.path; }))
        plan.push_back({std::move(change), std::max(round, from)});
    }
  }
  return plan;
}

void apply_to(const std::filesystem::path& from, const std::filesystem::path& to,
              const std::vector<std::string>& settings) {
  auto config = run::parse_config(fs::read_text(from), from.string());
  run::apply_settings(config, settings);
  fs::publish(to, run::to_toml(config));
}

// Settings of keys that the plan changes and that have (or have not) the scope operation.
std::vector<std::string> of_scope(const std::vector<std::string>& settings,
                                  const std::vector<Planned>& plan, bool operation) {
  std::vector<std::string> chosen;
  for (const auto& setting : settings) {
    const auto path = trim(std::string_view(setting).substr(0, setting.find('=')));
    const bool is = std::any_of(plan.begin(), plan.end(), [&](const auto& one) {
      return one.change.path == path && (one.change.scope == Scope::operation) == operation;
    });
    if (is) chosen.push_back(setting);
  }
  return chosen;
}

std::vector<std::string> stale_names(const run::Campaign& campaign) {
  run::Standings standings(campaign);
  std::vector<std::string> names;
  for (const auto& ref : run::chain(std::max(1, campaign.rounds_begun())))
    if (standings.of(ref).state == run::State::stale) names.push_back(to_string(ref));
  return names;
}

// Science keys change from a round on, also where a later round had a file of its own.
void apply_science(const run::Campaign& campaign, int from, const std::vector<Planned>& plan,
                   const std::vector<std::string>& settings) {
  const bool at_once = std::any_of(plan.begin(), plan.end(), [&](const auto& one) {
    return one.change.scope != Scope::operation && one.round == from;
  });
  if (at_once) {
    const auto first = campaign.root() / "rounds" / format("%04d", from) / "config.toml";
    fs::make_directory(first.parent_path());
    apply_to(campaign.config_file(from), first, settings);
  }
  for (const auto& [round, path] : campaign.config_files())
    if (round > from) apply_to(path, path, settings);
}

int set(const SetOptions& options) {
  const run::Campaign campaign(options.directory);
  const int from = options.from.value_or(0);
  const auto plan = planned(campaign, from, options);
  if (plan.empty()) {
    std::cout << "nothing changes: these are the values already\n";
    return 0;
  }
  const auto stale_before = stale_names(campaign);
  // Operation keys are no part of any result: they change everywhere at once.
  const auto operation = of_scope(options.settings, plan, true);
  if (!operation.empty())
    for (const auto& [round, path] : campaign.config_files()) apply_to(path, path, operation);
  const auto science = of_scope(options.settings, plan, false);
  if (!science.empty()) apply_science(campaign, from, plan, science);
  for (const auto& [change, round] : plan) {
    append_history(campaign.root(), round, {change});
    std::cout << change.path << ": " << (change.before.empty() ? "none" : change.before) << " -> "
              << (change.after.empty() ? "none" : change.after)
              << (change.scope == Scope::operation ? ", at once"
                                                   : ", from round " + std::to_string(round))
              << "\n";
  }
  if (const auto stale = stale_names(campaign); !stale.empty()) {
    const bool is_submitted = !read_jobs(campaign).jobs.empty();
    std::cout << (stale == stale_before ? "stale as before: " : "stale now: ") << join(stale, ", ")
              << "; to do them again: evd " << (is_submitted ? "submit " : "run ")
              << shell_word(campaign.root().string()) << " --rounds "
              << std::max(1, campaign.rounds_begun()) << " --redo-stale\n";
  }
  return 0;
}

}  // namespace

Command add_set(CLI::App& app) {
  auto* sub = app.add_subcommand("set", "Change keys of the configuration, dated in a history");
  auto options = std::make_shared<SetOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("KEY=VALUE", options->settings, "Such as train.lr=1e-4 or budget.usd=50")
      ->required();
  sub->add_option("--from", options->from, "First round with the new value (science keys)")
      ->check(CLI::Range(0, 999999))
      ->type_name("ROUND");
  return {sub, [options] { return set(*options); }};
}

}  // namespace evd::hands
