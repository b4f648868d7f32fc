#include "job_keys.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/config.hpp"

namespace evd::hands {

using run::Stage;

void require_key_files(const run::Campaign& campaign, const std::vector<PlannedJob>& jobs) {
  for (const auto& job : jobs) {
    const auto config = campaign.config(job.ref.round);
    std::vector<std::pair<std::string, teacher::ServiceOptions>> services;
    if (job.ref.stage == Stage::harvest)
      for (const auto& teacher : config.teachers)
        services.emplace_back("teacher." + teacher.name, teacher);
    if (job.ref.stage == Stage::judge || job.ref.stage == Stage::score)
      services.emplace_back("vlm", config.vlm);
    for (const auto& [path, service] : services) {
      if (service.key_env.empty() || service.base_url == "rehearsal") continue;
      throw ConfigurationError(
          path + ".key_env = " + service.key_env +
          ": a job must not carry a key in its environment, which Slurm stores; write the key "
          "into a file of mode 0600 and type: evd set " +
          shell_word(campaign.root().string()) + " " + path + ".key_env= " + path +
          ".key_file=FILE");
    }
  }
}

std::vector<std::string> key_variables(const run::Campaign& campaign) {
  std::vector<std::string> names;
  const auto add = [&](const teacher::ServiceOptions& service) {
    if (!service.key_env.empty()) names.push_back(service.key_env);
  };
  for (const auto& [round, file] : campaign.config_files()) {
    const auto config = campaign.config(round);
    for (const auto& teacher : config.teachers) add(teacher);
    add(config.vlm);
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

}  // namespace evd::hands
