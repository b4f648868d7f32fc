#include "submitted_jobs.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::hands {
namespace {

std::filesystem::path jobs_file(const run::Campaign& campaign) {
  return campaign.root() / "jobs.json";
}

}  // namespace

SubmittedJobs read_jobs(const run::Campaign& campaign) {
  const auto file = jobs_file(campaign);
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return {};
  try {
    const auto json = nlohmann::json::parse(fs::read_text(file));
    SubmittedJobs jobs;
    json.at("rounds").get_to(jobs.rounds);
    jobs.is_cancelled = json.value("cancelled", false);
    for (const auto& entry : json.at("jobs")) {
      const run::StageRef ref{parse_enum<run::Stage>(entry.at("stage").get<std::string>(), "stage"),
                              entry.at("round")};
      jobs.jobs[ref] = {entry.at("job"), entry.at("after"), entry.at("submitted_ms")};
    }
    return jobs;
  } catch (const nlohmann::json::exception& error) {
    throw DataError(file.string() + ": damaged (" + error.what() +
                    "); it only says which jobs were submitted: squeue shows those that are left, "
                    "and it may be removed when none is");
  }
}

void publish_jobs(const run::Campaign& campaign, const SubmittedJobs& jobs) {
  nlohmann::ordered_json json = {{"campaign", campaign.id().hex()},
                                 {"rounds", jobs.rounds},
                                 {"cancelled", jobs.is_cancelled},
                                 {"jobs", nlohmann::ordered_json::array()}};
  for (const auto& [ref, job] : jobs.jobs)
    json["jobs"].push_back({{"stage", name(ref.stage)},
                            {"round", ref.round},
                            {"job", job.job},
                            {"after", job.after},
                            {"submitted_ms", job.submitted_ms}});
  fs::publish(jobs_file(campaign), json.dump(1) + "\n");
}

}  // namespace evd::hands
