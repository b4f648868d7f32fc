#include "run/stage_result.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "run/stage_report.hpp"

namespace evd::run {

shard::Manifest manifest_of(const Campaign& campaign, const StageRef& ref, const Config& config,
                            const Result& result, const LifeFacts& facts) {
  shard::Manifest m;
  m.campaign = campaign.id().hex();
  m.stage = name(ref.stage);
  m.round = ref.round;
  m.attempt = facts.attempt;
  m.job = facts.job;
  m.software = software();
  m.created_ms = utc_ms();
  m.files = result.files;
  std::sort(m.files.begin(), m.files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  m.inputs = facts.inputs;
  m.input_files = result.input_files;
  m.content = shard::content_of(m.files);
  m.science = science_digest(config);
  m.config_toml = to_toml(config);
  m.counts = result.counts;
  m.by_teacher = result.by_teacher;
  m.tallies = result.tallies;
  m.seconds = result.seconds;
  for (const auto& [what, seconds] : facts.seconds) m.seconds[what] = seconds;
  m.cost_microusd = result.cost_microusd;
  m.ambiguous_microusd = result.ambiguous_microusd;
  m.ranks = facts.ranks;
  m.accepted_partial_by = facts.accepted_partial_by;
  return m;
}

}  // namespace evd::run
