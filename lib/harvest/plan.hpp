#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "run/config.hpp"
#include "shard/rows.hpp"
#include "teacher/options.hpp"

namespace evd::harvest {

/// One picture that is to be had: who draws which prompt at what size.
struct Draw {
  std::size_t sample = 0;   ///< row of the set
  std::size_t teacher = 0;  ///< place in the configuration
  int width = 0;            ///< asked of the teacher
  int height = 0;
  int sample_index = 0;
  RequestKey key;
};

/// How a teacher fared against others, or against the base model, in decided comparisons; ties are
/// half a win and half a loss.
struct TeacherRecord {
  double wins = 0;
  double losses = 0;
};

struct PlanRules {
  std::vector<teacher::ServiceOptions> teachers;
  run::DrawPolicy policy = run::DrawPolicy::all;
  std::uint64_t seed = 0;  ///< of the campaign
  int round = 0;
  int sample_index = 0;
  std::map<std::string, TeacherRecord> records;  ///< bandit: by teacher's name
  /// Held-out pictures that the harvest before left open, by prompt and teacher's name.
  std::set<std::pair<SampleId, std::string>> heldout_open;
};

/// The size nearest to (width, height) that the teacher draws: both sides moved by one factor into
/// its range, then to multiples of 16 (what services with a range ask for); a shape that does not
/// fit at all is clamped side by side.
struct Size {
  int width = 0;
  int height = 0;
  friend bool operator==(const Size&, const Size&) = default;
};
[[nodiscard]] Size usable_size(const teacher::ServiceOptions& teacher, int width, int height);

/// The prompt as it is sent.
[[nodiscard]] const std::string& prompt_sent(const shard::Sample& sample);

/// Every picture that the waiting prompts need, and those of the held-out prompts: in round 0 with
/// all teachers, later what was left open. Sorted by (prompt id, teacher's place). A pure function
/// of its arguments. Of the waiting prompts go to
///   all     every teacher (the paper)
///   winner  an expanded prompt goes to the teacher whose picture its parent has, others to all
///           (the authors' code)
///   bandit  one teacher a prompt: Thompson sampling (Beta(1 + wins, 1 + losses)) on the rate of
///           won comparisons per dollar; to all while no comparison is known
[[nodiscard]] std::vector<Draw> plan(const std::vector<shard::Sample>& set, const PlanRules& rules);

/// Adds the decided comparisons of a judge's round.
void add_records(const std::vector<shard::Pair>& pairs,
                 std::map<std::string, TeacherRecord>& records);

}  // namespace evd::harvest
