#pragma once

#include <cstdint>
#include <deque>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "data/line_reader.hpp"

namespace evd::data {

/// One record of comma-separated values.
struct CsvRecord {
  std::int64_t line = 0;  ///< where it begins
  std::vector<std::string> cells;
  bool malformed = false;  ///< a quote that does not end, or text behind one
  bool cut = false;        ///< a line of more than LineReader::kMaxLineBytes
};

/// Comma-separated values (RFC 4180: quotes, doubled quotes, line ends inside quotes) with a header
/// line. A record that is wrong is marked and reading goes on at the line behind its first.
class CsvReader {
 public:
  /// DataError when there is no header.
  explicit CsvReader(const std::filesystem::path& path);

  [[nodiscard]] const std::vector<std::string>& header() const { return header_; }
  /// Position of a column; nothing when there is none of that name.
  [[nodiscard]] std::optional<std::size_t> column(const std::string& name) const;
  [[nodiscard]] std::optional<CsvRecord> next();

 private:
  std::optional<Line> take_line();
  LineReader lines_;
  std::deque<Line> again_;  // lines of a malformed record, to be read as records of their own
  std::vector<std::string> header_;
};

}  // namespace evd::data
