#include "data/csv.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::data {
namespace {

// Cells of one record, fed line by line until no quote is open.
class RecordParser {
 public:
  void feed(const std::string& text) {
    if (open_) cell_ += '\n';
    for (std::size_t i = 0; i < text.size(); ++i) {
      const char c = text[i];
      if (open_) {
        if (c != '"') {
          cell_ += c;
        } else if (i + 1 < text.size() && text[i + 1] == '"') {
          cell_ += '"';
          ++i;
        } else {
          open_ = false;
          closed_ = true;
        }
      } else if (c == ',') {
        end_cell();
      } else if (c == '"' && cell_.empty() && !closed_) {
        open_ = true;
      } else {
        malformed_ = malformed_ || closed_;
        cell_ += c;
      }
    }
    if (!open_) end_cell();
  }
  [[nodiscard]] bool open() const { return open_; }
  [[nodiscard]] bool malformed() const { return malformed_; }
  [[nodiscard]] std::vector<std::string> cells() && { return std::move(cells_); }

 private:
  void end_cell() {
    cells_.push_back(std::move(cell_));
    cell_.clear();
    closed_ = false;
  }
  std::vector<std::string> cells_;
  std::string cell_;
  bool open_ = false;
  bool closed_ = false;
  bool malformed_ = false;
};

constexpr std::size_t kMaxRecordLines = 1000;

}  // namespace

CsvReader::CsvReader(const std::filesystem::path& path) : lines_(path) {
  const auto first = next();
  if (!first || first->malformed || first->cut)
    throw DataError(path.string() + ": has no header line of comma-separated names");
  for (const auto& cell : first->cells) header_.emplace_back(trim(cell));
}

std::optional<std::size_t> CsvReader::column(const std::string& name) const {
  const auto found = std::find(header_.begin(), header_.end(), name);
  if (found == header_.end()) return std::nullopt;
  return static_cast<std::size_t>(found - header_.begin());
}

std::optional<Line> CsvReader::take_line() {
  if (again_.empty()) return lines_.next();
  Line line = std::move(again_.front());
  again_.pop_front();
  return line;
}

std::optional<CsvRecord> CsvReader::next() {
  auto line = take_line();
  if (!line) return std::nullopt;
  CsvRecord record{.line = line->number, .cells = {}, .malformed = false, .cut = line->cut};
  RecordParser parser;
  parser.feed(line->text);
  std::deque<Line> more;
  while (parser.open() && !record.cut && more.size() < kMaxRecordLines) {
    auto following = take_line();
    if (!following) break;
    record.cut = following->cut;
    parser.feed(following->text);
    more.push_back(std::move(*following));
  }
  record.malformed = parser.open() || parser.malformed();
  if (record.malformed) {
    again_.insert(again_.begin(), std::make_move_iterator(more.begin()),
                  std::make_move_iterator(more.end()));
    return record;
  }
  record.cells = std::move(parser).cells();
  return record;
}

}  // namespace evd::data
