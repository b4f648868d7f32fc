#pragma once

#include <string>
#include <vector>

namespace evd::hands {

/// Rows of cells as aligned text; the first row is the head. Columns of numbers are set right.
enum class Align : bool { left, right };
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows,
                                     const std::vector<Align>& columns);

}  // namespace evd::hands
