#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "data/prompt_remarks.hpp"
#include "id_set.hpp"
#include "run/config.hpp"
#include "shard/rows.hpp"

namespace evd::hands {

/// Checks, canonicalises, categorises and tells apart the prompts of a file. Nothing in a line
/// stops the lines behind it.
class Intake {
 public:
  explicit Intake(const run::SetOptions& options) : options_(options) {}

  /// The prompt, or nothing when it is refused (and remarked).
  [[nodiscard]] std::optional<shard::Prompt> take(data::RawPrompt raw);

  [[nodiscard]] std::int64_t lines() const { return lines_; }
  [[nodiscard]] std::int64_t taken() const { return static_cast<std::int64_t>(ids_.size()); }
  [[nodiscard]] const IdSet& ids() const { return ids_; }
  /// By reason, such as "blank" or "duplicate".
  [[nodiscard]] const data::Remarks& remarks() const { return remarks_; }
  /// Several lines for a person; `what` = "prompts of my.txt".
  [[nodiscard]] std::string summary(const std::string& what) const;

 private:
  run::SetOptions options_;
  IdSet ids_;
  std::int64_t lines_ = 0;
  std::int64_t human_ = 0;
  std::int64_t text_ = 0;
  std::int64_t multi_ = 0;
  std::int64_t none_ = 0;
  std::int64_t given_ = 0;
  data::Remarks remarks_;
};

}  // namespace evd::hands
