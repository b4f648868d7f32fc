#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "capture.hpp"
#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/campaign.hpp"
#include "slurm_queue.hpp"
#include "submit_lease.hpp"
#include "submitted_jobs.hpp"

namespace evd::hands {
namespace {

int cancel(const std::filesystem::path& directory) {
  const run::Campaign campaign(directory);
  // A submit that goes on at the same time would undo it.
  const SubmitLease lease(campaign, "evd cancel");
  const auto answer = ask_queue(campaign.id());
  if (!answer.trouble.empty()) throw ServiceError(answer.trouble + "; nothing was cancelled");
  std::vector<std::string> command = {"scancel"};
  for (const auto& [ref, job] : answer.queue)
    if (job.state != "COMPLETING") command.push_back(job.job);
  if (command.size() == 1) {
    std::cout << "no job of this campaign is in the queue\n";
    return 0;
  }
  const auto said = capture(command);
  if (said.code != 0)
    throw ServiceError("scancel says: " + join(split(trim(said.err), '\n'), " / "));
  auto jobs = read_jobs(campaign);
  jobs.is_cancelled = true;
  publish_jobs(campaign, jobs);
  for (const auto& [ref, job] : answer.queue) {
    if (job.state == "COMPLETING") continue;
    std::cout << to_string(ref) << ": job " << job.job << " was " << describe(job)
              << (job.state == "PENDING" ? ", it will not run" : ", it is told to save and leave")
              << "\n";
  }
  std::cout << "nothing that is recorded is lost; to go on: evd submit "
            << shell_word(directory.string()) << " --rounds N\n";
  return 0;
}

}  // namespace

Command add_cancel(CLI::App& app) {
  auto* sub = app.add_subcommand("cancel", "End the campaign's jobs in Slurm's queue");
  auto directory = std::make_shared<std::filesystem::path>();
  sub->add_option("DIR", *directory, "Campaign directory")->required();
  return {sub, [directory] { return cancel(*directory); }};
}

}  // namespace evd::hands
