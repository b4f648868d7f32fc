#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "id_set.hpp"
#include "prompt_source.hpp"
#include "run/config.hpp"
#include "shard/rows.hpp"

namespace evd::hands {

/// Lines of one kind that were not taken, or need a word.
struct Remark {
  std::int64_t count = 0;
  std::vector<std::int64_t> first_lines;  ///< at most kShownLines
  static constexpr std::size_t kShownLines = 5;
  void add(std::int64_t line);
  /// "(line 3)", "(lines 1, 2, 3, 4, 5, ...)".
  [[nodiscard]] std::string where() const;
};

/// Checks, canonicalises, categorises and tells apart the prompts of a file. Nothing in a line
/// stops the lines behind it.
class Intake {
 public:
  explicit Intake(const run::SetOptions& options) : options_(options) {}

  /// The prompt, or nothing when it is refused (and remarked).
  [[nodiscard]] std::optional<shard::Prompt> take(RawPrompt raw);

  [[nodiscard]] std::int64_t lines() const { return lines_; }
  [[nodiscard]] std::int64_t taken() const { return static_cast<std::int64_t>(ids_.size()); }
  [[nodiscard]] const IdSet& ids() const { return ids_; }
  /// By reason, such as "blank" or "duplicate".
  [[nodiscard]] const std::map<std::string, Remark>& remarks() const { return remarks_; }
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
  std::map<std::string, Remark> remarks_;
};

}  // namespace evd::hands
