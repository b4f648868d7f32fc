#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <unordered_map>
#include <unordered_set>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "history.hpp"
#include "intake.hpp"
#include "new_directory.hpp"
#include "pool.hpp"
#include "run/encoder_files.hpp"
#include "site.hpp"

namespace evd::hands {
namespace {

struct InitOptions {
  std::filesystem::path directory;
  std::filesystem::path config;
  std::filesystem::path prompts;
  data::PromptColumns columns;
  std::filesystem::path heldout;
  double heldout_share = 0;
  std::string site = "local";
  std::vector<std::string> settings;
  bool yes = false;
};

struct Chosen {
  std::vector<SampleId> start;
  std::vector<SampleId> heldout;
};

// Highest cost of round 0, before anything is bought: its harvest and judge, and the scores of the
// start weights and of round 0.
struct Estimate {
  std::int64_t images = 0;
  std::int64_t heldout_images = 0;
  std::int64_t questions = 0;
  std::int64_t score_questions = 0;  // of them
  double usd = 0;
  double heldout_usd = 0;
};

Estimate estimate(const run::Config& config, std::size_t start, std::size_t heldout) {
  double per_prompt = 0;
  for (const auto& teacher : config.teachers) per_prompt += teacher.price_usd;
  const auto teachers = static_cast<std::int64_t>(config.teachers.size());
  Estimate e;
  e.images = static_cast<std::int64_t>(start) * teachers;
  e.heldout_images = static_cast<std::int64_t>(heldout) * teachers;
  const auto wanted = static_cast<std::int64_t>(config.judge.score_prompts);
  const auto scored = wanted > 0 ? std::min(wanted, static_cast<std::int64_t>(heldout))
                                 : static_cast<std::int64_t>(heldout);
  // Both scores: base against each teacher in both orders, and the base's alignment; the first one
  // asks for the teachers' alignments too.
  e.score_questions = scored * (2 * (2 * teachers + 1) + teachers);
  // A knock-out tournament asks each of its matches in both orders.
  e.questions = static_cast<std::int64_t>(start) * std::max<std::int64_t>(teachers - 1, 0) * 2 +
                e.score_questions;
  e.usd = static_cast<double>(start) * per_prompt +
          static_cast<double>(e.questions) * config.vlm.price_usd;
  e.heldout_usd = static_cast<double>(heldout) * per_prompt;
  return e;
}

std::string text_of(const Estimate& e, const run::Config& config) {
  return format(
      "round 0: %lld images and %lld questions (%lld of them to score), at most $%.2f if every "
      "answer can be read (others are asked for again, up to judge.max_asks = %d times in all); "
      "held-out: %lld images, at most $%.2f\n",
      static_cast<long long>(e.images), static_cast<long long>(e.questions),
      static_cast<long long>(e.score_questions), e.usd, config.judge.max_asks,
      static_cast<long long>(e.heldout_images), e.heldout_usd);
}

void require_consent(const Estimate& e, const run::Config& config, bool yes) {
  const auto check = [&](double usd, double budget, const char* what, const char* key) {
    if (usd <= budget || yes) return;
    throw UsageError(
        format("%s may cost $%.2f, more than %s = %.2f; add --yes to go on (harvest "
               "stops at the budget), raise it by --set %s=..., or take a smaller "
               "set.start_samples",
               what, usd, key, budget, key));
  };
  check(e.usd, config.budget.usd, "round 0", "budget.usd");
  check(e.heldout_usd, config.budget.heldout_usd, "the held-out images", "budget.heldout_usd");
}

run::Config load(const InitOptions& options) {
  run::Config config;
  if (!options.config.empty())
    config = run::parse_config(fs::read_text(options.config), options.config.string());
  run::apply_settings(config, options.settings);
  run::require_services(config);
  fix_base_weights(config);
  run::fix_encoders(config);
  return config;
}

// Keys are read by the ranks that send, maybe on another machine: here they are only looked for.
void warn_of_keys(const run::Config& config) {
  const auto look = [](const teacher::ServiceOptions& service) {
    std::error_code ignored;
    const bool in_environment =
        !service.key_env.empty() && std::getenv(service.key_env.c_str()) != nullptr;
    if (in_environment || (service.key_env.empty() && service.key_file.empty())) return;
    if (!service.key_file.empty()) {
      if (!std::filesystem::exists(service.key_file, ignored))
        std::cerr << "evd: the key of " << service.name << " is not there yet: file "
                  << service.key_file << "\n";
      return;
    }
    std::cerr << "evd: the key of " << service.name << " is not there yet: environment variable "
              << service.key_env << "\n";
  };
  for (const auto& service : config.teachers) look(service);
  look(config.vlm);
}

// Rows of the chosen ids, found again in the pool's files, a file at a time.
std::vector<shard::Sample> chosen_rows(const run::NewCampaign& campaign,
                                       const std::vector<shard::FileEntry>& pool,
                                       const Chosen& chosen) {
  std::unordered_map<SampleId, shard::Split> wanted;
  for (const auto& id : chosen.start) wanted.emplace(id, shard::Split::train);
  for (const auto& id : chosen.heldout) wanted.emplace(id, shard::Split::heldout);
  std::vector<shard::Sample> rows;
  rows.reserve(wanted.size());
  for (const auto& file : pool)
    for (const auto& prompt : shard::read_table<shard::Prompt>(campaign.prompts() / file.name))
      if (const auto found = wanted.find(prompt.id); found != wanted.end())
        rows.push_back(sample_of(prompt, found->second, campaign.config().set));
  return rows;
}

Chosen choose(const Intake& intake, const std::vector<shard::Prompt>& heldout_file,
              const InitOptions& options, const run::Config& config) {
  Chosen chosen;
  std::unordered_set<SampleId> out;
  for (const auto& prompt : heldout_file) out.insert(prompt.id);
  if (options.heldout_share > 0) {
    const auto count = std::llround(options.heldout_share * static_cast<double>(intake.taken()));
    chosen.heldout = draw(intake.ids(), static_cast<std::size_t>(std::max(1LL, count)),
                          config.campaign.seed, Purpose::heldout, out);
    out.insert(chosen.heldout.begin(), chosen.heldout.end());
  }
  std::int64_t taken_out = 0;
  for (const auto& prompt : heldout_file) taken_out += intake.ids().contains(prompt.id) ? 1 : 0;
  if (taken_out > 0)
    std::cout << taken_out
              << " held-out prompts are among the prompts too: taken out of the start\n";
  chosen.start = draw(intake.ids(), static_cast<std::size_t>(config.set.start_samples),
                      config.campaign.seed, Purpose::start_set, out);
  if (chosen.start.empty())
    throw DataError(options.prompts.string() + ": holds no prompt to start from" +
                    (intake.taken() > 0 ? " that is not held out" : ""));
  return chosen;
}

int init(const InitOptions& options) {
  const double begun_s = monotonic_s();
  const auto config = load(options);
  const std::string site = site_text(options.site);
  const auto source = data::open_prompts(options.prompts, options.columns);
  std::vector<shard::Prompt> heldout_file;
  if (!options.heldout.empty())
    heldout_file = read_heldout(options.heldout, options.columns, config.set);

  NewDirectory guard(options.directory);
  const run::NewCampaign campaign(options.directory, config);
  Intake intake(config.set);
  PoolWriter writer(campaign);
  while (auto raw = source->next())
    if (auto prompt = intake.take(std::move(*raw))) writer.add(std::move(*prompt));
  std::cout << intake.summary("prompts of " + options.prompts.string());

  const auto chosen = choose(intake, heldout_file, options, config);
  const std::size_t heldout = heldout_file.size() + chosen.heldout.size();
  const auto cost = estimate(config, chosen.start.size(), heldout);
  std::cout << "start set: " << chosen.start.size() << " prompts, held out: " << heldout << "\n"
            << text_of(cost, config);
  require_consent(cost, config, options.yes);
  if (heldout == 0)
    std::cerr << "evd: no prompt is held out, so nothing will measure what the base model learns; "
                 "--heldout FILE or --heldout-share 0.02 holds some out\n";
  warn_of_keys(config);

  auto files = writer.finish();
  auto rows = chosen_rows(campaign, files, chosen);
  for (const auto& prompt : heldout_file)
    rows.push_back(sample_of(prompt, shard::Split::heldout, config.set));
  std::sort(rows.begin(), rows.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  files.push_back(
      shard::write_table<shard::Sample>(campaign.prompts() / "set.h5", campaign.header(), rows));
  fs::publish(options.directory / "site.toml", site);
  append_history(options.directory, 0, run::changes(run::Config{}, config));
  campaign.finish(files,
                  {{"pool", intake.taken()},
                   {"start", static_cast<std::int64_t>(chosen.start.size())},
                   {"heldout", static_cast<std::int64_t>(heldout)}},
                  monotonic_s() - begun_s);
  guard.keep();
  const std::string where = shell_word(options.directory.string());
  std::cout << "campaign " << campaign.id().hex() << " is ready; to "
            << (std::filesystem::path(options.site).stem() == "local"
                    ? "run it here: evd run " + where + " --rounds 3 --ranks 2"
                    : "submit it: evd submit " + where + " --rounds 3")
            << "\n";
  return 0;
}

}  // namespace

Command add_init(CLI::App& app) {
  auto* sub = app.add_subcommand("init", "Make a campaign from prompts");
  auto options = std::make_shared<InitOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory, new or empty")->required();
  sub->add_option("--config", options->config, "Configuration (TOML); defaults fill the rest")
      ->type_name("FILE");
  sub->add_option("--prompts", options->prompts, "Prompts: .txt (one a line), .csv or .jsonl")
      ->type_name("FILE")
      ->required();
  sub->add_option("--column", options->columns.column,
                  "Column of .csv that holds the prompt [prompt, caption or text]")
      ->type_name("NAME");
  sub->add_option("--field", options->columns.field,
                  "Field of .jsonl that holds the prompt [prompt, caption or text]")
      ->type_name("NAME");
  auto* heldout = sub->add_option("--heldout", options->heldout,
                                  "Prompts to measure on: they are never trained on")
                      ->type_name("FILE");
  sub->add_option("--heldout-share", options->heldout_share,
                  "Share of the prompts to hold out, drawn by seed")
      ->check(CLI::Range(0.0, 0.9))
      ->capture_default_str()
      ->type_name("SHARE")
      ->excludes(heldout);
  sub->add_option("--site", options->site, "Site file: a name in configs/sites, or a path")
      ->capture_default_str()
      ->type_name("S");
  sub->add_option("--set", options->settings, "Another value of a key, such as train.lr=1e-4")
      ->allow_extra_args(false)
      ->type_name("KEY=VALUE");
  sub->add_flag("--yes", options->yes, "Agree to a cost above the budget");
  return {sub, [options] { return init(*options); }};
}

}  // namespace evd::hands
