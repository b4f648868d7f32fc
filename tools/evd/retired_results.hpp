#pragma once

#include <filesystem>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "current_results.hpp"
#include "paid_copies.hpp"

namespace evd::hands {

/// A result of a stage that a rerun, or other inputs, set aside.
struct RetiredResult {
  run::StageRef ref;
  std::filesystem::path directory;
};
/// All of a campaign, the newest of each stage first.
[[nodiscard]] std::vector<RetiredResult> retired_results(const run::Campaign& campaign);

/// Decides which of them may go. To be asked in the order of retired_results: of two that hold the
/// same, and alone, the one that is asked about first stays.
class RetiredJudgement {
 public:
  /// Reads what results in force say about those of `results`; DataError or IoError when one of
  /// them cannot be read: what it points at is not known then.
  RetiredJudgement(const CurrentResults& current, const std::vector<RetiredResult>& results);
  /// Why it has to stay; nothing = it may go. DataError or IoError when it cannot be read.
  [[nodiscard]] std::optional<std::string> why_kept(const RetiredResult& result);

 private:
  [[nodiscard]] std::string needed_features(const shard::Manifest& manifest) const;
  [[nodiscard]] std::string needed_harvest(const RetiredResult& result);
  [[nodiscard]] std::string needed_answers(const RetiredResult& result);
  [[nodiscard]] std::string needed_pictures(const std::vector<std::filesystem::path>& files);

  const CurrentResults& current_;
  PaidCopies copies_;
  std::set<std::pair<run::StageRef, Sha256>> kept_inputs_;  // one of each is enough
};

}  // namespace evd::hands
