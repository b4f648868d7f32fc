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
#include "job_keys.hpp"
#include "run/campaign.hpp"
#include "run/site.hpp"
#include "run/staleness.hpp"
#include "site.hpp"
#include "submit_jobs.hpp"
#include "submit_lease.hpp"
#include "submit_options.hpp"
#include "submit_plan.hpp"
#include "submit_queue.hpp"
#include "submit_request.hpp"
#include "submitted_jobs.hpp"
#include "text_table.hpp"

namespace evd::hands {
namespace {

std::filesystem::path site_file(const run::Campaign& campaign) {
  return campaign.root() / "site.toml";
}

bool same_jobs(const SubmittedJobs& a, const SubmittedJobs& b) {
  return std::ranges::equal(
      a.jobs, b.jobs, {}, [](const auto& one) { return one.second.job; },
      [](const auto& one) { return one.second.job; });
}

run::Site load_site(const SubmitOptions& options, const run::Campaign& campaign) {
  const auto file = site_file(campaign);
  std::error_code ignored;
  if (options.site.empty() && !std::filesystem::exists(file, ignored))
    throw ConfigurationError(file.string() + " is not there: which site? Add --site NAME");
  const std::string text =
      options.site.empty() ? fs::read_text(file, 1 << 20) : site_text(options.site);
  auto site = run::Site::parse(text, file.string());
  const std::filesystem::path prefix = site.value("prefix");
  if (!std::filesystem::exists(prefix / "share/evolvedirector/slurm/stage.sh", ignored))
    throw ConfigurationError(file.string() + ": there are no job scripts below prefix = \"" +
                             prefix.string() + "\"; freeze the site again: add --site NAME");
  if (options.site.empty() && prefix != program_prefix())
    std::cerr << "evd: jobs will run the programs in " << prefix.string() << ", not those of "
              << program_prefix().string() << " (--site NAME would change that)\n";
  if (!options.site.empty() && !options.dry_run) fs::publish(file, text);
  return site;
}

int submit(const SubmitOptions& options) {
  // Jobs start elsewhere than we do.
  const run::Campaign campaign(std::filesystem::absolute(options.directory).lexically_normal());
  const auto named = named_stage(options);
  auto earlier = read_jobs(campaign);
  std::optional<SubmitLease> lease;
  if (!options.dry_run) {
    lease.emplace(campaign, "evd submit");
    earlier = read_jobs(campaign);
  }
  std::error_code ignored;
  const std::string former_site =
      std::filesystem::exists(site_file(campaign), ignored) && !options.site.empty()
          ? fs::read_text(site_file(campaign), 1 << 20)
          : "";
  const auto earlier_jobs = earlier;
  const auto site = load_site(options, campaign);
  auto queue = settled_queue(campaign, options.dry_run ? Unreachable::empty : Unreachable::refuse);
  const auto request = wanted_stages(options, campaign, queue);
  if (!request) return static_cast<int>(ExitCode::configuration);
  add_jobs_by_hand(campaign, request->stages, queue);
  run::Standings standings(campaign);
  const auto jobs = plan_jobs(*request, standings, queue, earlier, campaign.root());
  require_key_files(campaign, jobs);
  if (options.dry_run) {
    print_commands(campaign, site, jobs, queue);
    return 0;
  }
  print_others(*request, jobs, queue, standings);
  earlier.rounds = std::max({earlier.rounds, options.rounds, named ? named->round + 1 : 0});
  try {
    submit_jobs(campaign, site, jobs, *lease, std::move(queue), std::move(earlier));
  } catch (const Error&) {
    // A site that Slurm takes no job of is no better than the one before.
    if (!former_site.empty() && same_jobs(read_jobs(campaign), earlier_jobs))
      fs::publish(site_file(campaign), former_site);
    throw;
  }
  return 0;
}

std::string site_help() {
  std::string text =
      "A site file (configs/sites/NAME.toml) holds lines key = \"value\", for all stages and then\n"
      "below [harvest], [judge], [train], [evaluate] or [score] for one. Its keys:\n";
  for (const auto& key : run::site_keys())
    text += "  " + padded(std::string(key.name), 17) + std::string(key.help) + "\n";
  return text;
}

}  // namespace

Command add_submit(CLI::App& app) {
  auto* sub = app.add_subcommand("submit", "Submit the chain of stages, or one, to Slurm");
  auto options = std::make_shared<SubmitOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("--rounds", options->rounds,
                  "Rounds in all; what is done or in the queue is passed over")
      ->check(CLI::Range(1, 10000))
      ->type_name("N");
  sub->add_option("--site", options->site,
                  "Site file: a name in configs/sites, or a path; kept in the campaign")
      ->type_name("S");
  sub->add_flag("--dry-run", options->dry_run, "Print the sbatch lines and submit nothing");
  sub->add_flag("--redo-stale", options->redo_stale,
                "Do stages again whose inputs or settings have changed since");
  sub->add_option("--stage", options->stage,
                  "One stage alone: harvest, judge, train, evaluate or score")
      ->type_name("STAGE");
  sub->add_option("--round", options->round, "Its round, from 0, or start")->type_name("ROUND");
  sub->add_flag("--rerun{again}", options->rerun,
                "Do it again from what is recorded; --rerun=failed asks again what\n"
                "failed, --rerun=fresh pays again for everything (needs --yes)");
  sub->add_flag("--yes", options->yes, "Agree to the cost of --rerun=fresh");
  sub->add_flag("--then-rest", options->then_rest,
                "Also what follows from it; what was done is done again if it becomes stale");
  sub->footer(site_help());
  return {sub, [options] { return submit(*options); }};
}

}  // namespace evd::hands
