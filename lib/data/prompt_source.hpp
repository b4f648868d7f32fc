#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "shard/category.hpp"

namespace evd::data {

/// A prompt as it stands in a user's file, unchecked.
struct RawPrompt {
  std::int64_t line = 0;
  std::string text;
  std::optional<shard::Categories> categories;  ///< nothing = not given
  std::string fault;                            ///< why there is no text: "not JSON"; "" = fine
  bool unknown_category = false;                ///< categories were given, but not all understood
};

class PromptSource {
 public:
  virtual ~PromptSource() = default;
  [[nodiscard]] virtual std::optional<RawPrompt> next() = 0;
};

struct PromptColumns {
  std::string column;  ///< of .csv; "" = prompt, caption or text, or the only one
  std::string field;   ///< of .jsonl; "" = prompt, caption or text
};

/// Opens .txt (one prompt a line), .csv or .jsonl by its ending. UsageError for another ending,
/// ConfigurationError when the column is not there (with the nearest one).
[[nodiscard]] std::unique_ptr<PromptSource> open_prompts(const std::filesystem::path& path,
                                                         const PromptColumns& columns);

/// "human, multi" in any order, separated by commas, semicolons, bars, plus signs or blanks;
/// nothing when a word is none of human, text, multi.
[[nodiscard]] std::optional<shard::Categories> parse_categories(std::string_view text);

class CsvReader;
/// Position of the column that holds what `wanted` names, or one of the usual names.
[[nodiscard]] std::size_t text_column(const CsvReader& csv, const std::string& wanted,
                                      const std::filesystem::path& path);

}  // namespace evd::data
