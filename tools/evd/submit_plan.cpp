#include "submit_plan.hpp"

#include <algorithm>
#include <cctype>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/admission.hpp"

namespace evd::hands {
namespace {

using run::Stage;
using run::StageRef;
using run::State;
using Waits = std::map<StageRef, std::vector<StageRef>>;

// What each job in the queue waits for, as far as those are in the queue themselves.
Waits waits_of(const Queue& queue, const SubmittedJobs& earlier) {
  std::map<std::string, StageRef> stage_of;
  for (const auto& [ref, job] : queue) stage_of[job.job] = ref;
  Waits waits;
  for (const auto& [ref, job] : earlier.jobs) {
    const auto queued = queue.find(ref);
    if (queued == queue.end() || queued->second.job != job.job) continue;
    for (const auto& id : job.after)
      if (const auto found = stage_of.find(id); found != stage_of.end())
        waits[ref].push_back(found->second);
  }
  return waits;
}

void collect(const StageRef& ref, const Waits& waits, std::set<StageRef>& seen) {
  const auto found = waits.find(ref);
  if (found == waits.end()) return;
  for (const auto& input : found->second)
    if (seen.insert(input).second) collect(input, waits, seen);
}

// Without those that another one waits for.
std::vector<StageRef> reduced(const std::vector<StageRef>& after, const Waits& waits) {
  std::set<StageRef> implied;
  for (const auto& ref : after) collect(ref, waits, implied);
  std::vector<StageRef> rest;
  std::copy_if(after.begin(), after.end(), std::back_inserter(rest),
               [&](const auto& ref) { return !implied.contains(ref); });
  return rest;
}

std::string plain_word(std::string text) {
  for (char& c : text)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '-';
  return text;
}

std::string doubled_percent(const std::string& text) {
  std::string result;
  for (const char c : text) result += c == '%' ? "%%" : std::string(1, c);
  return result;
}

}  // namespace

std::vector<PlannedJob> plan_jobs(const PlanRequest& request, run::Standings& standings,
                                  const Queue& queue, const SubmittedJobs& earlier,
                                  const std::filesystem::path& campaign) {
  Waits waits = waits_of(queue, earlier);
  std::set<StageRef> planned;
  std::vector<PlannedJob> jobs;
  for (const auto& ref : request.stages) {
    const auto rerun = request.rerun.find(ref);
    const bool again = rerun != request.rerun.end();
    if (queue.contains(ref) || (standings.of(ref).state == State::done && !again)) continue;
    PlannedJob job{ref, {}, again ? rerun->second : ""};
    for (const auto& input : standings.inputs(ref)) {
      if (planned.contains(input) || queue.contains(input)) {
        job.after.push_back(input);
      } else if (standings.of(input).state != State::done) {
        throw ConfigurationError(to_string(ref) + " reads " + to_string(input) + ", which is " +
                                 std::string(name_of(standings.of(input).state)) +
                                 "; to submit all that is missing: " + "evd submit " +
                                 shell_word(campaign.string()) + " --rounds " +
                                 std::to_string(std::max(0, ref.round) + 1));
      }
    }
    job.after = reduced(job.after, waits);
    waits[ref] = job.after;
    planned.insert(ref);
    jobs.push_back(std::move(job));
  }
  return jobs;
}

std::vector<StageRef> followers(const StageRef& ref, const std::vector<StageRef>& chain,
                                run::Standings& standings) {
  std::set<StageRef> reached = {ref};
  std::vector<StageRef> found;
  for (const auto& stage : chain) {
    const auto inputs = standings.inputs(stage);
    const bool reads = std::any_of(inputs.begin(), inputs.end(),
                                   [&](const auto& input) { return reached.contains(input); });
    if (reads && reached.insert(stage).second) found.push_back(stage);
  }
  return found;
}

std::vector<std::string> sbatch_command(const run::Campaign& campaign, const run::Site& site,
                                        const PlannedJob& job,
                                        const std::vector<std::string>& after) {
  const auto& ref = job.ref;
  const std::string stem = run::file_stem(ref);
  const auto log = campaign.logs().string() + "/" + stem;
  std::vector<std::string> command = {
      "sbatch", "--parsable", "--kill-on-invalid-dep=yes", "--requeue", "--open-mode=append",
      // The stage first: squeue shows eight characters.
      "--job-name=" + stem + "-" + plain_word(campaign.config(ref.round).campaign.name),
      "--comment=" + job_comment(campaign.id(), ref),
      "--output=" + doubled_percent(log) + "-%j.log"};
  for (auto& option : site.sbatch_options(ref.stage)) command.push_back(std::move(option));
  if (!after.empty()) command.push_back("--dependency=afterok:" + join(after, ":"));
  const std::string script(name(ref.stage == Stage::score ? Stage::judge : ref.stage));
  command.push_back(site.value("prefix") + "/share/evolvedirector/slurm/" + script + ".sbatch");
  command.push_back(campaign.root().string());
  command.push_back(ref.round == run::kStartRound ? "start" : std::to_string(ref.round));
  if (ref.stage == Stage::score) command.emplace_back("--score");
  for (const auto& word : split(job.rerun, ' '))
    if (!word.empty()) command.push_back(word);
  return command;
}

}  // namespace evd::hands
