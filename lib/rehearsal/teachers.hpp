#pragma once

#include <span>
#include <string_view>

#include "image/image.hpp"
#include "rehearsal/painter.hpp"
#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// How often a teacher gets an attribute of an item wrong.
struct Faults {
  double colour = 0;
  double shape = 0;
  double size = 0;
  double count = 0;
  double word = 0;  ///< misspelt
  double pose = 0;
  double place = 0;  ///< a lone item only
};

/// A painter with a hand and with faults of its own.
struct Teacher {
  std::string_view name;
  std::string_view strength;  ///< one line for people
  Brush brush;
  Faults faults;
  double swap = 0;     ///< two items exchange colours, or shapes: weak binding
  double missing = 0;  ///< one of two items is left out
};

/// The four, in the order the paper reports of its teachers (section 4.4): the first is best
/// overall, the second best at text, the third much worse at text, the fourth weak at binding.
[[nodiscard]] std::span<const Teacher> teachers();
[[nodiscard]] const Teacher* find_teacher(std::string_view name);

/// What the teacher has in mind when it is asked for `meant`: the scene with its faults in it.
[[nodiscard]] Scene misunderstood(const Scene& meant, const Teacher& teacher, Random& random);
/// A teacher's picture of a prompt; of one outside the language, blots.
[[nodiscard]] image::Rgb draw(const Teacher& teacher, std::string_view prompt, int width,
                              int height, Random random);

}  // namespace evd::rehearsal
