#include "text_table.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace evd::hands {

std::string text_table(const std::vector<std::vector<std::string>>& rows,
                       const std::vector<Align>& columns) {
  std::vector<std::size_t> widths(columns.size(), 0);
  for (const auto& row : rows)
    for (std::size_t i = 0; i < row.size(); ++i)
      widths[i] = std::max(widths[i], code_points(row[i]));
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      const std::string blanks(widths[i] - code_points(row[i]), ' ');
      line +=
          (i == 0 ? "" : "  ") + (columns[i] == Align::right ? blanks + row[i] : row[i] + blanks);
    }
    text += line.substr(0, line.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text;
}

}  // namespace evd::hands
