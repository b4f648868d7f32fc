#include "doctor_slurm.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "capture.hpp"
#include "core/text.hpp"

namespace evd::hands {
namespace {

using run::Stage;

constexpr std::array kStages = {Stage::harvest, Stage::judge, Stage::train, Stage::evaluate,
                                Stage::score};

std::string one_line(const std::string& text) { return join(split(trim(text), '\n'), " / "); }

std::vector<std::string> words_of(std::string text) {
  for (char& c : text)
    if (c == '\n' || c == '\t' || c == ',' || c == ':') c = ' ';
  auto words = split(text, ' ');
  std::erase(words, "");
  return words;
}

// Value of an option among those of sbatch.
std::string option_of(const std::vector<std::string>& options, const std::string& flag) {
  for (const auto& option : options)
    if (option.starts_with(flag + "=")) return option.substr(flag.size() + 1);
  return "";
}

bool is_one_of(const std::string& word, const std::vector<std::string>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

std::vector<Check> check_commands() {
  std::vector<std::string> missing;
  for (const std::string command : {"sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo"})
    if (capture({command, "--version"}).code == 127) missing.push_back(command);
  if (!missing.empty())
    return {{Health::failed, "Slurm", "not on PATH: " + join(missing, ", "),
             "type this where Slurm's commands work; on one machine alone leave out --site"}};
  const auto queue = capture({"squeue", "--noheader", "--me"});
  if (queue.code != 0)
    return {{Health::failed, "Slurm", "squeue says: " + one_line(queue.err),
             "ask again when the controller answers", ExitCode::service}};
  return {
      {Health::ok, "Slurm", one_line(capture({"sbatch", "--version"}).out) + ", and it answers"}};
}

Check check_plugin(const run::Site& site) {
  const std::string wanted = site.value("mpi").empty() ? "pmix" : site.value("mpi");
  const auto said = capture({"srun", "--mpi=list"});
  if (said.code != 0)
    return {Health::unknown, "mpi", "srun --mpi=list says: " + one_line(said.err)};
  auto words = words_of(said.out + said.err);
  if (is_one_of(wanted, words)) return {Health::ok, "mpi", "srun knows the plug-in " + wanted};
  return {Health::failed, "mpi",
          "srun knows no plug-in " + wanted + "; it lists: " + one_line(said.out + said.err),
          "set mpi = \"...\" in the site file to one of these"};
}

Check check_environment(const std::string& file) {
  std::error_code none;
  if (std::filesystem::exists(file, none))
    return {Health::ok, "environment", file + " is there (on this node)"};
  return {Health::failed, "environment", file + " is not there",
          "every job sources it first: write it, or leave out environment in the site file"};
}

std::vector<Check> check_partitions(const run::Site& site) {
  const auto said = capture({"sinfo", "--noheader", "--all", "--format=%R"});
  if (said.code != 0) return {{Health::unknown, "partition", "sinfo says: " + one_line(said.err)}};
  const auto known = words_of(said.out);
  std::map<std::string, std::vector<std::string>> missing;  // partition -> stages
  for (const auto stage : kStages)
    for (const auto& partition : words_of(option_of(site.sbatch_options(stage), "--partition")))
      if (!is_one_of(partition, known)) missing[partition].emplace_back(name(stage));
  std::vector<Check> checks;
  for (const auto& [partition, stages] : missing) {
    const auto best = nearest(partition, known);
    checks.push_back(
        {Health::failed, "partition",
         partition + ", which " + join(stages, ", ") + " should run in, is none of this cluster",
         best ? "did you mean " + *best + "? (sinfo shows all)"
              : "there are: " + join(known, ", ")});
  }
  if (checks.empty()) checks.push_back({Health::ok, "partition", "those of the site are there"});
  return checks;
}

// Account, quality of service, limits: only sbatch itself can tell whether it takes them.
Check check_submission(const SiteChoice& choice, Stage stage,
                       const std::filesystem::path& directory) {
  std::vector<std::string> command = {"sbatch", "--test-only"};
  for (auto& option : choice.site.sbatch_options(stage)) command.push_back(std::move(option));
  const std::string script(name(stage == Stage::score ? Stage::judge : stage));
  command.push_back(choice.site.value("prefix") + "/share/evolvedirector/slurm/" + script +
                    ".sbatch");
  command.insert(command.end(), {directory.string(), "0"});
  const auto said = capture(command);
  const std::string what = "[" + std::string(name(stage)) + "]";
  if (said.code == 0) return {Health::ok, what, one_line(said.out + said.err)};
  return {
      Health::failed, what, "sbatch would not take it: " + one_line(said.err),
      "change " + choice.name + ": account, qos, nodes, time (evd submit --help names every key)"};
}

}  // namespace

bool names_a_cluster(const run::Site& site) {
  return std::any_of(kStages.begin(), kStages.end(),
                     [&](Stage stage) { return !site.sbatch_options(stage).empty(); });
}

std::vector<Check> check_slurm(const SiteChoice& choice, const std::filesystem::path& directory) {
  auto checks = check_commands();
  if (checks.front().health == Health::failed) return checks;
  checks.push_back(check_plugin(choice.site));
  if (const auto file = choice.site.value("environment"); !file.empty())
    checks.push_back(check_environment(file));
  auto partitions = check_partitions(choice.site);
  const bool all_there = partitions.front().health != Health::failed;
  checks.insert(checks.end(), partitions.begin(), partitions.end());
  if (all_there)
    for (const auto stage : kStages) checks.push_back(check_submission(choice, stage, directory));
  return checks;
}

}  // namespace evd::hands
