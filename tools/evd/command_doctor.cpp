#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>
#include <span>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "doctor_launch.hpp"
#include "doctor_login.hpp"
#include "doctor_ranks.hpp"
#include "doctor_slurm.hpp"
#include "fs/file.hpp"
#include "run/campaign.hpp"
#include "run/probe_report.hpp"
#include "site.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

struct DoctorOptions {
  stdfs::path directory = ".";
  std::string site;
  std::string stage = "train";
  int ranks = 2;
};

std::string last_lines(const std::string& text) {
  constexpr std::ptrdiff_t kMost = 30;
  const auto lines = split(trim(text), '\n');
  const auto first = std::max<std::ptrdiff_t>(0, std::ssize(lines) - kMost);
  return join(std::span(lines).subspan(static_cast<std::size_t>(first)), "\n");
}

class Doctor {
 public:
  explicit Doctor(const DoctorOptions& options)
      : options_(options),
        directory_(stdfs::absolute(options.directory).lexically_normal()),
        stage_(parse_enum<run::Stage>(options.stage, "--stage")) {
    std::error_code none;
    if (!stdfs::is_directory(directory_, none))
      throw UsageError(directory_.string() +
                       " is no directory; give a campaign, or the directory where one is to be");
    if (stage_ == run::Stage::init) throw UsageError("--stage init is no job");
  }

  int go() {
    load_site();
    const bool by_slurm = site_ && names_a_cluster(site_->site);
    std::cout << "Here\n";
    show(check_programs(by_slurm ? stdfs::path(site_->site.value("prefix")) : program_prefix()));
    services(by_slurm);
    if (by_slurm)
      show(check_slurm(*site_, directory_));
    else
      show({check_mpirun()});
    std::cout << "\nOn the ranks\n";
    ranks(by_slurm);
    return end();
  }

 private:
  void show(const std::vector<Check>& checks) {
    std::cout << to_text(checks) << std::flush;
    checks_.insert(checks_.end(), checks.begin(), checks.end());
  }

  void load_site() {
    const auto frozen = directory_ / "site.toml";
    std::error_code none;
    std::string text;
    if (!options_.site.empty())
      text = site_text(options_.site);
    else if (stdfs::exists(frozen, none))
      text = fs::read_text(frozen, 1 << 20);
    if (text.empty()) return;
    const std::string name = options_.site.empty() ? frozen.string() : options_.site;
    site_.emplace(SiteChoice{name, text, run::Site::parse(text, name)});
  }

  void services(bool by_slurm) {
    std::error_code none;
    if (!stdfs::exists(directory_ / "campaign.toml", none))
      return show({{Health::unknown, "services",
                    directory_.string() + " holds no campaign: no keys are looked for", ""}});
    try {
      const run::Campaign campaign(directory_);
      show(check_services(campaign.config(std::max(0, campaign.rounds_begun() - 1)), by_slurm));
    } catch (const Error& error) {
      show({{Health::failed, "campaign", error.what(), "", error.code()}});
    }
  }

  void ranks(bool by_slurm) {
    const auto earlier = std::find_if(checks_.begin(), checks_.end(), [](const auto& check) {
      return check.health == Health::failed && check.name != "campaign" &&
             !check.name.starts_with("key of") && check.name != "TLS";
    });
    if (earlier != checks_.end())
      return show(
          {{Health::unknown, "ranks", "none was started: " + earlier->name + " comes first", ""}});
    try {
      JobRunner runner;
      const ProbeDirectory probe(directory_);
      const auto ended = by_slurm ? probe_by_slurm(runner, *site_, stage_, probe.path())
                                  : probe_here(runner, options_.ranks, probe.path());
      judge(ended, by_slurm);
    } catch (const IoError& error) {
      show({{Health::failed, "write", error.what(), "take a directory that you can write to",
             ExitCode::io}});
    } catch (const ConfigurationError& error) {
      show({{Health::failed, "start", error.what(), "", error.code()}});
    }
  }

  void judge(const ProbeRun& ended, bool by_slurm) {
    const auto reports = run::find_reports(ended.output);
    if (reports.empty()) {
      std::cout << last_lines(ended.output) << "\n";
      return show(
          {{Health::failed, "start",
            "evd-probe ended with code " + std::to_string(ended.code) +
                " and told nothing; what it and its launcher said stands above",
            by_slurm ? "see mpi (`srun --mpi=list` shows the choices) and environment of the site "
                       "file"
                     : "see whether `mpirun -n 2 hostname` works"}});
    }
    Asked asked;
    if (!by_slurm) asked.ranks = options_.ranks;
    if (by_slurm)
      for (const auto& option : site_->site.sbatch_options(stage_))
        asked.gpus = asked.gpus || option.starts_with("--gpus") || option.starts_with("--gres=gpu");
    std::cout << rank_table(reports.front());
    show(judge_ranks(reports, asked));
  }

  [[nodiscard]] int end() const {
    const auto count = [&](Health health) {
      return std::count_if(checks_.begin(), checks_.end(),
                           [&](const auto& check) { return check.health == health; });
    };
    std::cout << "\n"
              << count(Health::ok) << " ok, " << count(Health::warning) << " warnings, "
              << count(Health::failed) << " failed, " << count(Health::unknown)
              << " could not be found out\n";
    return static_cast<int>(exit_code_of(checks_));
  }

  const DoctorOptions& options_;
  stdfs::path directory_;
  run::Stage stage_;
  std::optional<SiteChoice> site_;
  std::vector<Check> checks_;
};

}  // namespace

Command add_doctor(CLI::App& app) {
  auto* sub = app.add_subcommand("doctor", "Check a site before the first job");
  auto options = std::make_shared<DoctorOptions>();
  sub->add_option("DIR", options->directory, "A campaign, or the directory where one is to be [.]");
  sub->add_option("--site", options->site,
                  "Site file: a name in configs/sites, or a path [DIR/site.toml]")
      ->type_name("S");
  sub->add_option("--stage", options->stage, "With a cluster: whose ranks look around [train]")
      ->type_name("STAGE");
  sub->add_option("--ranks,-n", options->ranks, "On one machine: MPI ranks that look around [2]")
      ->check(CLI::Range(1, 4096))
      ->type_name("N");
  sub->footer(
      "Looks at programs, keys (never shown) and certificates here, at Slurm's partitions, and, "
      "on\n"
      "MPI ranks that it starts, at cores, memory, GPUs, clocks and whether each sees at once "
      "what\n"
      "another writes in DIR. On a cluster that is one job of a few minutes. Nothing stays in "
      "DIR.");
  return {sub, [options] { return Doctor(*options).go(); }};
}

}  // namespace evd::hands
