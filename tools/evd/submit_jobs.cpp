#include "submit_jobs.hpp"

#include <algorithm>
#include <iostream>

#include "capture.hpp"
#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "job_keys.hpp"
#include "text_table.hpp"

namespace evd::hands {

using run::StageRef;

namespace {

std::string submit_one(const run::Campaign& campaign, const std::vector<std::string>& command,
                       const std::vector<std::string>& unset, const PlannedJob& job,
                       bool is_first) {
  const auto said = capture(command, unset);
  // "id" or "id;cluster"
  const std::string id(trim(split(said.out, ';').front()));
  if (said.code == 0 && !id.empty() && id.find_first_not_of("0123456789") == std::string::npos)
    return id;
  throw ConfigurationError(
      "sbatch did not take " + to_string(job.ref) + ": " +
      (said.code == 127 ? "there is no sbatch on PATH"
                        : join(split(trim(said.err + said.out), '\n'), " / ")) +
      (is_first ? "; no job was submitted; when "
                : "; the jobs above stay (evd cancel ends them); when ") +
      (campaign.root() / "site.toml").string() +
      " asks for what this cluster has (--site NAME), type the same command again");
}

}  // namespace

void submit_jobs(const run::Campaign& campaign, const run::Site& site,
                 const std::vector<PlannedJob>& jobs, const SubmitLease& lease, Queue queue,
                 SubmittedJobs earlier) {
  fs::make_directory(campaign.logs());
  const auto unset = key_variables(campaign);
  for (const auto& job : jobs) {
    std::vector<std::string> after;
    for (const auto& ref : job.after) after.push_back(queue.at(ref).job);
    lease.confirm();
    const std::string id = submit_one(campaign, sbatch_command(campaign, site, job, after), unset,
                                      job, &job == jobs.data());
    // Before the next one: what is submitted is never forgotten.
    queue[job.ref] = {id, "PENDING", "None"};
    earlier.is_cancelled = false;
    earlier.jobs[job.ref] = {id, after, utc_ms()};
    publish_jobs(campaign, earlier);
    std::cout << padded(to_string(job.ref), 17) << padded("job " + id, 12)
              << (after.empty() ? "" : "after " + join(after, ", "))
              << (job.rerun.empty() ? "" : "  " + job.rerun) << std::endl;
  }
  std::cout << jobs.size() << " jobs submitted; a look: evd status "
            << shell_word(campaign.root().string()) << ", to end them: evd cancel "
            << shell_word(campaign.root().string()) << "\n";
}

void print_commands(const run::Campaign& campaign, const run::Site& site,
                    const std::vector<PlannedJob>& jobs, const Queue& queue) {
  const auto variable = [](const StageRef& ref) {
    std::string text = run::file_stem(ref);
    std::replace(text.begin(), text.end(), '-', '_');
    return text;
  };
  std::string unset;
  for (const auto& name : key_variables(campaign)) unset += " -u " + name;
  for (const auto& job : jobs) {
    std::vector<std::string> after;
    for (const auto& ref : job.after) {
      const auto queued = queue.find(ref);
      after.push_back(queued != queue.end() ? queued->second.job : "$" + variable(ref));
    }
    std::string line;
    for (const auto& word : sbatch_command(campaign, site, job, after))
      line +=
          (line.empty() ? "" : " ") + (word.starts_with("--dependency=") ? word : shell_word(word));
    std::cout << variable(job.ref) << "=$(" << (unset.empty() ? "" : "env" + unset + " ") << line
              << ")\n";
  }
  std::cerr << "evd: " << jobs.size() << " jobs would be submitted\n";
}

void print_others(const PlanRequest& request, const std::vector<PlannedJob>& jobs,
                  const Queue& queue, run::Standings& standings) {
  for (const auto& ref : request.stages) {
    if (std::any_of(jobs.begin(), jobs.end(), [&](const auto& job) { return job.ref == ref; }))
      continue;
    const auto queued = queue.find(ref);
    std::cout << padded(to_string(ref), 17)
              << (queued == queue.end()
                      ? std::string(name_of(standings.of(ref).state))
                      : "job " + queued->second.job + " is " + describe(queued->second))
              << "\n";
  }
}

}  // namespace evd::hands
