#include "image/sheet.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace evd::image {
namespace {

void paste(Rgb& sheet, const Rgb& cell, int left, int top) {
  const auto stride = static_cast<std::ptrdiff_t>(sheet.width) * 3;
  const auto row_bytes = static_cast<std::ptrdiff_t>(cell.width) * 3;
  for (int y = 0; y < cell.height; ++y)
    std::copy_n(cell.pixels.begin() + y * row_bytes, row_bytes,
                sheet.pixels.begin() + (top + y) * stride + static_cast<std::ptrdiff_t>(left) * 3);
}

}  // namespace

Rgb contact_sheet(std::span<const Rgb> cells, int columns, int gap_px) {
  const auto first = std::find_if(cells.begin(), cells.end(),
                                  [](const Rgb& cell) { return !cell.pixels.empty(); });
  if (first == cells.end() || columns < 1)
    throw InternalError("contact_sheet: no picture, or no columns");
  const int rows = (static_cast<int>(cells.size()) + columns - 1) / columns;
  Rgb sheet{
      columns * (first->width + gap_px) + gap_px, rows * (first->height + gap_px) + gap_px, {}};
  sheet.pixels.assign(
      static_cast<std::size_t>(sheet.width) * static_cast<std::size_t>(sheet.height) * 3, 255);
  for (std::size_t i = 0; i < cells.size(); ++i) {
    if (cells[i].pixels.empty()) continue;
    const int column = static_cast<int>(i) % columns;
    const int row = static_cast<int>(i) / columns;
    paste(sheet, resize_cover(cells[i], first->width, first->height),
          gap_px + column * (first->width + gap_px), gap_px + row * (first->height + gap_px));
  }
  return sheet;
}

}  // namespace evd::image
