#include "situation.hpp"

#include <array>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "run/admission.hpp"
#include "run/progress.hpp"
#include "run/stage_report.hpp"

namespace evd::hands {
namespace {

using run::Liveness;
using run::State;

Situation running(const run::Campaign& campaign, const run::StageRef& ref,
                  const run::LeaseRecord& holder, Liveness alive) {
  std::string story = describe(holder);
  if (const auto facts = run::read_progress(campaign.progress_file(ref)))
    story += "; " + progress_line(*facts);
  if (alive == Liveness::unknown)
    story += "; last sign of life " +
             human_duration(static_cast<double>(utc_ms() - holder.renewed_ms) / 1e3) +
             " ago (by this machine's clock)";
  return {Look::running, story, ""};
}

// No result, nobody at work: how did it come to that?
Situation unfinished(const run::Campaign& campaign, const run::StageRef& ref,
                     const std::optional<run::LeaseRecord>& lease) {
  const std::string again = command_of(ref, campaign.root());
  const auto report = run::read_report(campaign.directory(ref));
  const bool own = report && (!lease || report->attempt == lease->attempt);
  if (own && report->state == "failed")
    return {Look::failed,
            "rank " + std::to_string(report->rank) + ": " + report->error + " (exit code " +
                std::to_string(report->exit_code) + ", " + iso8601(report->ended_ms) + ")",
            again};
  if (own && report->state == "stopped")
    return {Look::stopped, "its work is saved (" + iso8601(report->ended_ms) + ")", again};
  if (lease && !lease->released)
    return {Look::killed, describe(*lease) + " ended without a word; what it had saved is kept",
            again};
  if (lease) return {Look::stopped, "it ended before it published anything", again};
  return {};
}

}  // namespace

std::string_view name_of(Look look) {
  static constexpr std::array<std::string_view, 10> kNames = {
      "done",   "stale",  "damaged", "running", "stopped",
      "failed", "killed", "waiting", "queued",  "cancelled"};
  return kNames.at(static_cast<std::size_t>(look));
}

Situation situation_of(const run::Campaign& campaign, const run::StageRef& ref,
                       run::Standings& standings, const run::LeaseRecord& observer,
                       const run::LeaseProbes& probes) {
  const auto& standing = standings.of(ref);
  const auto lease = run::read_lease(campaign.lease_file(ref));
  switch (standing.state) {
    case State::done:
      return {Look::done, "", ""};
    case State::stale:
      return {Look::stale, standing.why, command_of(ref, campaign.root(), "--rerun")};
    case State::damaged:
      return {Look::damaged, standing.why, command_of(ref, campaign.root(), "--rerun")};
    case State::unfinished:
      break;
  }
  if (lease && !lease->released) {
    const auto alive = liveness(*lease, observer, probes);
    if (alive != Liveness::gone) return running(campaign, ref, *lease, alive);
  }
  return unfinished(campaign, ref, lease);
}

}  // namespace evd::hands
