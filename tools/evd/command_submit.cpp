#include <algorithm>
#include <chrono>
#include <iostream>
#include <memory>
#include <optional>
#include <thread>

#include <CLI/CLI.hpp>

#include "capture.hpp"
#include "commands.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "job_keys.hpp"
#include "run/campaign.hpp"
#include "run/site.hpp"
#include "run/staleness.hpp"
#include "site.hpp"
#include "slurm_queue.hpp"
#include "submit_lease.hpp"
#include "submit_plan.hpp"
#include "submitted_jobs.hpp"
#include "text_table.hpp"
#include "worth.hpp"

namespace evd::hands {
namespace {

using run::Stage;
using run::StageRef;
using run::State;

struct SubmitOptions {
  std::filesystem::path directory;
  int rounds = 0;
  std::string site;
  bool dry_run = false;
  bool redo_stale = false;
  std::string stage;
  std::string round;
  std::string rerun;
  bool yes = false;
  bool then_rest = false;
};

// The stage that --stage and --round name; nothing when the whole chain is meant.
std::optional<StageRef> named_stage(const SubmitOptions& options) {
  if (options.stage.empty()) {
    if (!options.round.empty() || !options.rerun.empty() || options.then_rest)
      throw UsageError("--round, --rerun and --then-rest go with --stage");
    if (options.rounds == 0) throw UsageError("what is to be done? Give --rounds N, or --stage");
    return std::nullopt;
  }
  const auto stage = parse_enum<Stage>(options.stage, "--stage");
  const bool start = options.round == "start";
  if (stage == Stage::init || (start && stage != Stage::evaluate && stage != Stage::score))
    throw UsageError("--stage " + options.stage + (start ? " has no start stage" : " is no job") +
                     "; evd init has done it");
  if (start) return StageRef{stage, run::kStartRound};
  if (options.round.empty() || options.round.size() > 6 ||
      options.round.find_first_not_of("0123456789") != std::string::npos)
    throw UsageError("--stage " + options.stage + ": of which round? Give --round N, or start");
  return StageRef{stage, std::stoi(options.round)};
}

std::string rerun_arguments(const SubmitOptions& options) {
  if (options.rerun.empty()) return "";
  if (options.rerun == "again") return "--rerun";
  if (options.rerun == "failed") return "--rerun=failed";
  if (options.rerun == "fresh") return "--rerun=fresh --yes";
  throw UsageError("--rerun=" + options.rerun + " is not one of: failed, fresh (or --rerun alone)");
}

class Submission {
 public:
  explicit Submission(const SubmitOptions& options)
      : options_(options),
        // Jobs start elsewhere than we do.
        campaign_(std::filesystem::absolute(options.directory).lexically_normal()),
        named_(named_stage(options)),
        earlier_(read_jobs(campaign_)) {}

  int go() {
    std::optional<SubmitLease> lease;
    if (!options_.dry_run) {
      lease.emplace(campaign_, "evd submit");
      earlier_ = read_jobs(campaign_);
    }
    const auto site = load_site();
    load_queue();
    const auto request = named_ ? stage_request() : chain_request();
    if (!request) return static_cast<int>(ExitCode::configuration);
    take_jobs_by_hand(request->stages);
    run::Standings standings(campaign_);
    const auto jobs = plan_jobs(*request, standings, queue_, earlier_, campaign_.root());
    require_key_files(campaign_, jobs);
    print_others(*request, standings, jobs);
    if (options_.dry_run) return print_commands(site, jobs);
    submit(site, jobs, *lease);
    return 0;
  }

 private:
  run::Site load_site() {
    const auto file = campaign_.root() / "site.toml";
    std::error_code ignored;
    if (options_.site.empty() && !std::filesystem::exists(file, ignored))
      throw ConfigurationError(file.string() + " is not there: which site? Add --site NAME");
    const std::string text =
        options_.site.empty() ? fs::read_text(file, 1 << 20) : site_text(options_.site);
    auto site = run::Site::parse(text, file.string());
    const std::filesystem::path prefix = site.value("prefix");
    if (!std::filesystem::exists(prefix / "share/evolvedirector/slurm/stage.sh", ignored))
      throw ConfigurationError(file.string() + ": there are no job scripts below prefix = \"" +
                               prefix.string() + "\"; freeze the site again: add --site NAME");
    if (options_.site.empty() && prefix != program_prefix())
      std::cerr << "evd: jobs will run the programs in " << prefix.string() << ", not those of "
                << program_prefix().string() << " (--site NAME would change that)\n";
    if (!options_.site.empty() && !options_.dry_run) fs::publish(file, text);
    return site;
  }

  // A job that just ends is waited for: only then do its files tell how it ended.
  void load_queue() {
    const double begun_s = monotonic_s();
    while (true) {
      auto answer = ask_queue(campaign_.id());
      if (!answer.trouble.empty()) {
        if (!options_.dry_run)
          throw ServiceError(answer.trouble +
                             "; jobs are submitted where Slurm's commands work "
                             "(on this machine alone: evd run " +
                             shell_word(campaign_.root().string()) + ")");
        std::cerr << "evd: " << answer.trouble << "; so no job is taken to be in the queue\n";
      }
      queue_ = std::move(answer.queue);
      const bool ending = std::any_of(queue_.begin(), queue_.end(), [](const auto& entry) {
        return entry.second.state == "COMPLETING";
      });
      if (!ending || options_.dry_run || monotonic_s() - begun_s > 120) return;
      std::this_thread::sleep_for(std::chrono::seconds(1));
    }
  }

  // Jobs that were submitted without us hold a lease all the same.
  void take_jobs_by_hand(const std::vector<StageRef>& stages) {
    const auto self = run::lease_identity({}, "submit", 1);
    for (const auto& ref : stages) {
      if (queue_.contains(ref)) continue;
      const auto holder = run::read_lease(campaign_.lease_file(ref));
      if (!holder || holder->released) continue;
      const auto alive = liveness(*holder, self, run::system_probes());
      if (alive == run::Liveness::gone) continue;
      if (!holder->slurm_job.empty()) {
        queue_[ref] = {holder->slurm_job, "RUNNING", ""};
      } else if (alive == run::Liveness::alive) {
        throw ConfigurationError(to_string(ref) + " is being run by " + describe(*holder) +
                                 ", which is no job of Slurm; wait for it, or end it first");
      }
    }
  }

  // All that is missing of the chain; nothing when stale results stand in the way.
  std::optional<PlanRequest> chain_request() {
    run::Standings standings(campaign_);
    PlanRequest request{run::chain(options_.rounds), {}};
    Worth worth;
    for (const auto& ref : request.stages) {
      const auto& standing = standings.of(ref);
      if (standing.state != State::stale && standing.state != State::damaged) continue;
      if (queue_.contains(ref)) continue;
      request.rerun[ref] = "--rerun=stale";
      worth.add(standings.manifest(ref));
      std::cerr << "evd: " << to_string(ref) << " is " << name_of(standing.state) << ": "
                << standing.why << "\n";
    }
    if (worth.stages == 0 || options_.redo_stale) return request;
    std::cerr << "evd: " << worth.stages << " stages would be done again; they had " << worth.text()
              << ", of which none is paid again unless its request differs; to do so: evd submit "
              << shell_word(campaign_.root().string()) << " --rounds " << options_.rounds
              << " --redo-stale\n";
    return std::nullopt;
  }

  std::optional<PlanRequest> stage_request() {
    const StageRef ref = *named_;
    run::Standings standings(campaign_);
    const std::string rerun = rerun_arguments(options_);
    if (const auto queued = queue_.find(ref); queued != queue_.end())
      throw ConfigurationError(to_string(ref) + " is in the queue already: job " +
                               queued->second.job + ", " + describe(queued->second) +
                               "; wait for it, or end it first: scancel " + queued->second.job);
    const auto& standing = standings.of(ref);
    if (standing.state != State::unfinished && rerun.empty())
      throw UsageError(to_string(ref) + " is " + std::string(name_of(standing.state)) +
                       "; to do it again add --rerun");
    PlanRequest request{{ref}, {}};
    if (!rerun.empty()) {
      request.rerun[ref] = rerun;
      refuse_queued_readers(ref, standings);
      Worth worth;
      worth.add(standings.manifest(ref));
      if (options_.rerun == "fresh" && !options_.yes)
        throw UsageError("--rerun=fresh pays again for " + to_string(ref) + ": it had " +
                         worth.text() + "; add --yes to agree");
    }
    if (options_.then_rest) add_followers(ref, standings, request);
    return request;
  }

  [[nodiscard]] std::vector<StageRef> whole_chain() const {
    const int own = named_ ? named_->round + 1 : 0;
    const int rounds = std::max({1, own, options_.rounds, campaign_.rounds_begun()});
    return run::chain(rounds);
  }

  void refuse_queued_readers(const StageRef& ref, run::Standings& standings) const {
    for (const auto& reader : followers(ref, whole_chain(), standings))
      if (const auto queued = queue_.find(reader); queued != queue_.end())
        throw ConfigurationError(to_string(ref) +
                                 " cannot be done again now: " + to_string(reader) +
                                 " needs it and is "
                                 "in the queue (job " +
                                 queued->second.job + ", " + describe(queued->second) +
                                 "); wait for it, or end the chain first: evd cancel " +
                                 shell_word(campaign_.root().string()));
  }

  void add_followers(const StageRef& ref, run::Standings& standings, PlanRequest& request) const {
    Worth worth;
    for (const auto& follower : followers(ref, whole_chain(), standings)) {
      request.stages.push_back(follower);
      if (standings.of(follower).state == State::unfinished) continue;
      request.rerun[follower] = "--rerun=stale";
      worth.add(standings.manifest(follower));
    }
    if (worth.stages > 0)
      std::cerr << "evd: " << worth.stages << " stages behind it are done again if its result "
                << "changes; they had " << worth.text()
                << ", of which none is paid again unless its request differs\n";
  }

  // Stages that need no new job.
  void print_others(const PlanRequest& request, run::Standings& standings,
                    const std::vector<PlannedJob>& jobs) const {
    if (options_.dry_run) return;
    for (const auto& ref : request.stages) {
      if (std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.ref == ref; }))
        continue;
      const auto queued = queue_.find(ref);
      std::cout << padded(to_string(ref), 17)
                << (queued == queue_.end()
                        ? std::string(name_of(standings.of(ref).state))
                        : "job " + queued->second.job + " is " + describe(queued->second))
                << "\n";
    }
  }

  // Lines that a shell can be given: each leaves its job's number in a variable.
  int print_commands(const run::Site& site, const std::vector<PlannedJob>& jobs) const {
    const auto variable = [](const StageRef& ref) {
      std::string text = run::file_stem(ref);
      std::replace(text.begin(), text.end(), '-', '_');
      return text;
    };
    std::string unset;
    for (const auto& name : key_variables(campaign_)) unset += " -u " + name;
    for (const auto& job : jobs) {
      std::vector<std::string> after;
      for (const auto& ref : job.after) {
        const auto queued = queue_.find(ref);
        after.push_back(queued != queue_.end() ? queued->second.job : "$" + variable(ref));
      }
      std::string line;
      for (const auto& word : sbatch_command(campaign_, site, job, after))
        line += (line.empty() ? "" : " ") +
                (word.starts_with("--dependency=") ? word : shell_word(word));
      std::cout << variable(job.ref) << "=$(" << (unset.empty() ? "" : "env" + unset + " ") << line
                << ")\n";
    }
    std::cerr << "evd: " << jobs.size() << " jobs would be submitted\n";
    return 0;
  }

  void submit(const run::Site& site, const std::vector<PlannedJob>& jobs,
              const SubmitLease& lease) {
    fs::make_directory(campaign_.logs());
    const auto unset = key_variables(campaign_);
    earlier_.rounds = std::max({earlier_.rounds, options_.rounds, named_ ? named_->round + 1 : 0});
    for (const auto& job : jobs) {
      std::vector<std::string> after;
      for (const auto& ref : job.after) after.push_back(queue_.at(ref).job);
      lease.confirm();
      const std::string id = submit_one(sbatch_command(campaign_, site, job, after), unset, job);
      // Before the next one: what is submitted is never forgotten.
      queue_[job.ref] = {id, "PENDING", "None"};
      earlier_.jobs[job.ref] = {id, after, utc_ms()};
      publish_jobs(campaign_, earlier_);
      std::cout << padded(to_string(job.ref), 17) << padded("job " + id, 12)
                << (after.empty() ? "" : "after " + join(after, ", "))
                << (job.rerun.empty() ? "" : "  " + job.rerun) << std::endl;
    }
    std::cout << jobs.size() << " jobs submitted; a look: evd status "
              << shell_word(campaign_.root().string()) << ", to end them: evd cancel "
              << shell_word(campaign_.root().string()) << "\n";
  }

  [[nodiscard]] std::string submit_one(const std::vector<std::string>& command,
                                       const std::vector<std::string>& unset,
                                       const PlannedJob& job) const {
    const auto said = capture(command, unset);
    // "id" or "id;cluster"
    const std::string id(trim(split(said.out, ';').front()));
    if (said.code == 0 && !id.empty() && id.find_first_not_of("0123456789") == std::string::npos)
      return id;
    throw ConfigurationError(
        "sbatch did not take " + to_string(job.ref) + ": " +
        (said.code == 127 ? "there is no sbatch on PATH"
                          : join(split(trim(said.err + said.out), '\n'), " / ")) +
        "; the jobs above stay (evd cancel ends them); when " +
        (campaign_.root() / "site.toml").string() +
        " asks for what this cluster has (--site NAME), type the same command again");
  }

  const SubmitOptions& options_;
  run::Campaign campaign_;
  std::optional<StageRef> named_;
  SubmittedJobs earlier_;
  Queue queue_;
};

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
  return {sub, [options] { return Submission(*options).go(); }};
}

}  // namespace evd::hands
