#pragma once

#include <cstddef>
#include <string>
#include <vector>

namespace evd::hands {

/// Rows of cells as aligned text; the first row is the head. Columns of numbers are set right.
enum class Align : bool { left, right };
[[nodiscard]] std::string text_table(const std::vector<std::vector<std::string>>& rows,
                                     const std::vector<Align>& columns);

/// With blanks behind it up to `width` bytes.
[[nodiscard]] std::string padded(std::string text, std::size_t width);

}  // namespace evd::hands
