#include "row_writer.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <set>

#include <nlohmann/json.hpp>

#include "core/base64.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "text_table.hpp"

namespace evd::hands {
namespace {

using shard::Cell;

template <class T>
std::string shortest(T value) {
  std::array<char, 64> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), value).ptr;
  return {text.data(), end};
}

// The value as text without quotes; empty for nothing.
std::string plain(const Cell& cell) {
  if (const auto* integer = std::get_if<std::int64_t>(&cell)) return shortest(*integer);
  if (const auto* real = std::get_if<double>(&cell)) return shortest(*real);
  if (const auto* text = std::get_if<std::string_view>(&cell)) return std::string(*text);
  if (const auto* bytes = std::get_if<shard::Blob>(&cell)) return base64(*bytes);
  return "";
}

void check(const std::ostream& out) {
  if (!out) throw IoError("write the rows: failed (is the disk full?) free space and try again");
}

class CsvRows final : public RowWriter {
 public:
  CsvRows(std::ostream& out, const std::vector<std::string>& names) : out_(out) {
    for (const auto& name : names) add(std::string_view(name));
    end_line();
  }
  void row(std::span<const Cell> cells) override {
    for (const auto& cell : cells) add(cell);
    end_line();
  }
  void finish() override { check(out_.flush()); }

 private:
  void add(const Cell& cell) {
    line_ += separator_;
    separator_ = ",";
    const auto* text = std::get_if<std::string_view>(&cell);
    if (text == nullptr)
      line_ += plain(cell);
    else if (text->find_first_of(",\"\r\n") == std::string_view::npos)
      line_ += *text;
    else
      add_quoted(*text);
  }
  void add_quoted(std::string_view text) {
    line_ += '"';
    for (const char c : text) line_.append(c == '"' ? 2 : 1, c);
    line_ += '"';
  }
  void end_line() {
    // A line that is empty would be no row.
    out_ << (line_.empty() ? "\"\"" : line_) << '\n';
    check(out_);
    line_.clear();
    separator_ = "";
  }

  std::ostream& out_;
  std::string line_;
  const char* separator_ = "";
};

class JsonRows final : public RowWriter {
 public:
  JsonRows(std::ostream& out, const std::vector<std::string>& names) : out_(out) {
    std::set<std::string> seen;
    for (const auto& name : names) {
      if (!seen.insert(name).second)
        throw UsageError("two columns are called " + name +
                         ", which an object cannot hold; name one with AS");
      keys_.push_back(text_of(name) + ":");
    }
  }
  void row(std::span<const Cell> cells) override {
    std::string line = "{";
    for (std::size_t i = 0; i < cells.size(); ++i)
      line += (i == 0 ? "" : ",") + keys_[i] + value_of(cells[i]);
    out_ << line << "}\n";
    check(out_);
  }
  void finish() override { check(out_.flush()); }

 private:
  static std::string text_of(const std::string& text) {
    return nlohmann::json(text).dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  }
  static std::string value_of(const Cell& cell) {
    if (std::holds_alternative<std::monostate>(cell)) return "null";
    if (const auto* real = std::get_if<double>(&cell); real != nullptr && !std::isfinite(*real))
      return "null";
    const bool is_number =
        std::holds_alternative<std::int64_t>(cell) || std::holds_alternative<double>(cell);
    return is_number ? plain(cell) : text_of(plain(cell));
  }
  std::ostream& out_;
  std::vector<std::string> keys_;
};

class AlignedRows final : public RowWriter {
 public:
  // Rows that are aligned with each other: more do not fit a screen, and memory is finite.
  static constexpr std::size_t kMostTogether = 10'000;
  static constexpr std::size_t kMostChars = 80;

  AlignedRows(std::ostream& out, const std::vector<std::string>& names)
      : out_(out), columns_(names.size(), Align::right) {
    rows_.push_back(names);
  }
  void row(std::span<const Cell> cells) override {
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < cells.size(); ++i) {
      texts.push_back(shown(cells[i]));
      if (std::holds_alternative<std::string_view>(cells[i]) ||
          std::holds_alternative<shard::Blob>(cells[i]))
        columns_[i] = Align::left;
    }
    rows_.push_back(std::move(texts));
    if (rows_.size() >= kMostTogether) write();
  }
  void finish() override {
    write();
    check(out_.flush());
  }

 private:
  void write() {
    out_ << text_table(rows_, columns_);
    check(out_);
    rows_.clear();
  }
  static std::string shown(const Cell& cell) {
    if (const auto* real = std::get_if<double>(&cell)) return format("%.6g", *real);
    if (const auto* bytes = std::get_if<shard::Blob>(&cell))
      return "<" + human_bytes(static_cast<double>(bytes->size())) + ">";
    if (const auto* text = std::get_if<std::string_view>(&cell)) return cut(visible(*text));
    return plain(cell);
  }
  // Control characters would move the cursor or change its colours, and break the columns.
  static std::string visible(std::string_view text) {
    const bool is_text = is_utf8(text);
    std::string shown;
    for (const char c : text) {
      const auto byte = static_cast<unsigned char>(c);
      if (c == '\n')
        shown += "\\n";
      else if (byte < 0x20 || byte == 0x7f || (!is_text && byte >= 0x80))
        shown += format("\\x%02x", byte);
      else
        shown += c;
    }
    return shown;
  }
  static std::string cut(std::string text) {
    if (code_points(text) <= kMostChars) return text;
    std::size_t at = 0;
    for (std::size_t chars = 0; chars < kMostChars - 3; ++chars) do
        ++at;
      while ((static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
    return text.substr(0, at) + "...";
  }

  std::ostream& out_;
  std::vector<Align> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace

std::unique_ptr<RowWriter> make_row_writer(RowFormat format, std::ostream& out,
                                           const std::vector<std::string>& names) {
  switch (format) {
    case RowFormat::csv:
      return std::make_unique<CsvRows>(out, names);
    case RowFormat::jsonl:
      return std::make_unique<JsonRows>(out, names);
    case RowFormat::table:
      break;
  }
  return std::make_unique<AlignedRows>(out, names);
}

}  // namespace evd::hands
