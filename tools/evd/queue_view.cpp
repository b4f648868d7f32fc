#include "queue_view.hpp"

#include "core/text.hpp"

namespace evd::hands {
namespace {

std::string log_of(const run::StageRef& ref, const std::string& job) {
  return "logs/" + run::file_stem(ref) + "-" + job + ".log";
}

Situation queued(const QueuedJob& job, const run::StageRef& ref, const QueueAnswer& answer,
                 const SubmittedJobs& jobs) {
  std::string story = "job " + job.job + ", " + describe(job);
  if (job.state != "PENDING") return {Look::running, story, ""};
  std::vector<std::string> waits;
  if (const auto own = jobs.jobs.find(ref); own != jobs.jobs.end() && own->second.job == job.job)
    for (const auto& [other, entry] : answer.queue)
      for (const auto& id : own->second.after)
        if (entry.job == id) waits.push_back(to_string(other));
  if (!waits.empty()) story += ", after " + join(waits, " and ");
  return {Look::queued, story, ""};
}

// Submitted, in the queue no more, and without a result.
Situation gone(Situation look, const run::StageRef& ref, const SubmittedJob& job,
               const SubmittedJobs& jobs, const Looks& looks, const std::string& again) {
  if (look.look == Look::failed || look.look == Look::stopped || look.look == Look::killed)
    return {look.look, look.story + "; job " + job.job + ", " + log_of(ref, job.job), again};
  if (look.look != Look::waiting) return look;
  for (const auto& [other, entry] : jobs.jobs)
    for (const auto& id : job.after)
      if (entry.job == id && looks.at(other).look != Look::done)
        return {Look::cancelled, "job " + job.job + " waited for " + to_string(other), ""};
  return {Look::failed, "job " + job.job + " ended before the stage began; " + log_of(ref, job.job),
          again};
}

}  // namespace

void add_queue(Looks& looks, const QueueAnswer& answer, const SubmittedJobs& jobs,
               const run::Campaign& campaign) {
  if (!answer.trouble.empty()) return;
  const std::string again = "evd submit " + shell_word(campaign.root().string()) + " --rounds " +
                            std::to_string(jobs.rounds);
  const Looks before = looks;
  for (auto& [ref, look] : looks) {
    if (look.look == Look::running) continue;
    const auto job = answer.queue.find(ref);
    if (look.look == Look::done) {
      // A rerun waits its turn: the result is there until it begins.
      if (job != answer.queue.end())
        look.story = "again " + queued(job->second, ref, answer, jobs).story;
      continue;
    }
    const auto own = jobs.jobs.find(ref);
    if (job != answer.queue.end()) {
      look = queued(job->second, ref, answer, jobs);
    } else if (own != jobs.jobs.end()) {
      look = gone(look, ref, own->second, jobs, before, again);
    }
  }
}

}  // namespace evd::hands
