#pragma once

#include "image/image.hpp"
#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// How a hand draws, beside what it draws. Lengths are in units of 1/32 of the picture's side.
struct Brush {
  double wobble = 0;        ///< standard deviation of every position
  double size_spread = 0;   ///< relative standard deviation of every size
  double shade_spread = 0;  ///< standard deviation of every colour channel, 0..1
  double tint = 0;          ///< how far the background may lie from its light grey, 0..1
  double shadow = 0;        ///< opacity of a soft shadow below things
  double highlight = 0;     ///< how much lighter things are towards the top left
  double outline = 0;       ///< width of a darker outline
};

/// Draws a valid scene at any size from 16 px a side (places follow the sides, sizes the shorter
/// one). Equal arguments give equal pixels. A default Brush is the perfect painter: no spread, no
/// decoration.
[[nodiscard]] image::Rgb paint(const Scene& scene, int width, int height, const Brush& brush,
                               Random random);
/// What a painter makes of a prompt that it does not understand: soft blots in colours drawn by
/// `random`, on the usual background.
[[nodiscard]] image::Rgb paint_blots(int width, int height, Random random);

}  // namespace evd::rehearsal
