#include "data/prompt_source.hpp"

#include <array>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/csv.hpp"

namespace evd::data {
namespace {

constexpr std::array<const char*, 3> kUsualNames = {"prompt", "caption", "text"};
constexpr const char* kTooLong = "over-long";

class TextSource final : public PromptSource {
 public:
  explicit TextSource(const std::filesystem::path& path) : lines_(path) {}
  std::optional<RawPrompt> next() override {
    auto line = lines_.next();
    if (!line) return std::nullopt;
    return RawPrompt{.line = line->number,
                     .text = std::move(line->text),
                     .categories = {},
                     .fault = line->cut ? kTooLong : ""};
  }

 private:
  LineReader lines_;
};

class CsvSource final : public PromptSource {
 public:
  CsvSource(const std::filesystem::path& path, const std::string& column)
      : csv_(path),
        text_(text_column(csv_, column, path)),
        categories_(csv_.column("categories")) {}

  std::optional<RawPrompt> next() override {
    auto record = csv_.next();
    if (!record) return std::nullopt;
    RawPrompt raw{.line = record->line, .text = {}, .categories = {}, .fault = {}};
    if (record->malformed || record->cut) {
      raw.fault = record->cut ? kTooLong : "not CSV";
      return raw;
    }
    // A line with less cells, such as an empty one, has an empty prompt.
    if (text_ < record->cells.size()) raw.text = std::move(record->cells[text_]);
    if (categories_ && *categories_ < record->cells.size() &&
        !trim(record->cells[*categories_]).empty()) {
      raw.categories = parse_categories(record->cells[*categories_]);
      raw.unknown_category = !raw.categories;
    }
    return raw;
  }

 private:
  CsvReader csv_;
  std::size_t text_;
  std::optional<std::size_t> categories_;
};

class JsonSource final : public PromptSource {
 public:
  JsonSource(const std::filesystem::path& path, std::string field)
      : lines_(path), field_(std::move(field)) {}

  std::optional<RawPrompt> next() override {
    auto line = lines_.next();
    if (!line) return std::nullopt;
    RawPrompt raw{.line = line->number, .text = {}, .categories = {}, .fault = {}};
    if (line->cut) {
      raw.fault = kTooLong;
    } else if (!is_utf8(line->text)) {
      raw.text = std::move(line->text);  // told as such by whoever checks it
    } else if (!trim(line->text).empty()) {
      read(line->text, raw);
    }
    return raw;
  }

 private:
  void read(const std::string& text, RawPrompt& raw) const {
    const auto json = nlohmann::json::parse(text, nullptr, false);
    if (json.is_discarded() || !json.is_object()) {
      raw.fault = "not JSON";
      return;
    }
    const auto found = find(json);
    if (found == json.end() || !found->is_string()) {
      raw.fault = field_.empty() ? "without a field prompt, caption or text"
                                 : "without a text in field " + field_;
      return;
    }
    raw.text = found->get<std::string>();
    if (const auto given = json.find("categories"); given != json.end() && !given->is_null())
      read_categories(*given, raw);
  }

  [[nodiscard]] nlohmann::json::const_iterator find(const nlohmann::json& json) const {
    if (!field_.empty()) return json.find(field_);
    for (const char* name : kUsualNames)
      if (const auto found = json.find(name); found != json.end()) return found;
    return json.end();
  }

  static void read_categories(const nlohmann::json& given, RawPrompt& raw) {
    std::string words;
    if (given.is_string()) words = given.get<std::string>();
    if (given.is_array())
      for (const auto& word : given)
        words += (word.is_string() ? word.get<std::string>() : "?") + " ";
    if (given.is_string() || given.is_array()) raw.categories = parse_categories(words);
    raw.unknown_category = !raw.categories;
  }

  LineReader lines_;
  std::string field_;
};

}  // namespace

std::optional<shard::Categories> parse_categories(std::string_view text) {
  std::string words(text);
  for (auto& c : words)
    if (std::string_view(",;|+\t").find(c) != std::string_view::npos) c = ' ';
  shard::Categories categories;
  for (const auto& word : split(words, ' ')) {
    const auto lower = lower_ascii(trim(word));
    if (lower.empty()) continue;
    if (lower == "human") {
      categories.human = true;
    } else if (lower == "text") {
      categories.text = true;
    } else if (lower == "multi") {
      categories.multi = true;
    } else {
      return std::nullopt;
    }
  }
  return categories;
}

std::size_t text_column(const CsvReader& csv, const std::string& wanted,
                        const std::filesystem::path& path) {
  if (!wanted.empty()) {
    if (const auto found = csv.column(wanted)) return *found;
    const auto best = nearest(wanted, csv.header());
    throw ConfigurationError(path.string() + ": has no column " + wanted +
                             (best ? " (did you mean " + *best + "?)" : "") +
                             "; its columns: " + join(csv.header(), ", "));
  }
  for (const char* name : kUsualNames)
    if (const auto found = csv.column(name)) return *found;
  if (csv.header().size() == 1) {
    if (csv.header()[0].find_first_of(";\t") != std::string::npos)
      throw DataError(path.string() +
                      ": its columns seem to be separated by semicolons or tabs; separate them by "
                      "commas");
    return 0;
  }
  throw ConfigurationError(
      path.string() +
      ": which column holds the prompts? Give --column; its columns: " + join(csv.header(), ", "));
}

std::unique_ptr<PromptSource> open_prompts(const std::filesystem::path& path,
                                           const PromptColumns& columns) {
  const std::string ending = lower_ascii(path.extension().string());
  if (ending == ".csv") return std::make_unique<CsvSource>(path, columns.column);
  if (ending == ".jsonl") return std::make_unique<JsonSource>(path, columns.field);
  if (ending == ".txt" || ending.empty()) return std::make_unique<TextSource>(path);
  throw UsageError(path.string() + ": prompts are .txt (one a line), .csv or .jsonl, not " +
                   ending);
}

}  // namespace evd::data
