#pragma once

#include <span>

#include "image/image.hpp"

namespace evd::image {

/// A contact sheet: cells of equal size in rows of `columns`, white gaps of `gap_px`. Cells are
/// resized to the first one's size; an Rgb without pixels leaves its place white.
[[nodiscard]] Rgb contact_sheet(std::span<const Rgb> cells, int columns, int gap_px = 4);

}  // namespace evd::image
