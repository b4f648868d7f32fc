#include "rehearsal/teachers.hpp"

#include <algorithm>
#include <array>

#include "rehearsal/language.hpp"

namespace evd::rehearsal {
namespace {

constexpr std::array<Teacher, 4> kTeachers = {{
    {"aurora",
     "best overall",
     {.wobble = 0.3,
      .size_spread = 0.03,
      .shade_spread = 0.02,
      .tint = 0.008,
      .shadow = 0.18,
      .highlight = 0.14},
     {.colour = 0.03,
      .shape = 0.03,
      .size = 0.03,
      .count = 0.04,
      .word = 0.18,
      .pose = 0.05,
      .place = 0.03},
     0.04,
     0.03},
    {"glyph",
     "best at written words",
     {.wobble = 0.3, .size_spread = 0.02, .shade_spread = 0.015, .tint = 0.006, .outline = 0.3},
     {.colour = 0.04,
      .shape = 0.06,
      .size = 0.05,
      .count = 0.06,
      .word = 0.02,
      .pose = 0.20,
      .place = 0.05},
     0.08,
     0.05},
    {"meadow",
     "good at persons, much worse at written words",
     {.wobble = 0.4,
      .size_spread = 0.05,
      .shade_spread = 0.03,
      .tint = 0.012,
      .shadow = 0.1,
      .highlight = 0.25},
     {.colour = 0.05,
      .shape = 0.06,
      .size = 0.05,
      .count = 0.08,
      .word = 0.65,
      .pose = 0.04,
      .place = 0.04},
     0.10,
     0.05},
    {"drift",
     "weak at binding attributes to things",
     {.wobble = 0.5, .size_spread = 0.06, .shade_spread = 0.03, .tint = 0.01},
     {.colour = 0.06,
      .shape = 0.06,
      .size = 0.08,
      .count = 0.08,
      .word = 0.18,
      .pose = 0.10,
      .place = 0.06},
     0.45,
     0.08},
}};

// One letter left out, exchanged with the next, or another one.
std::string misspelt(const std::string& word, Random& random) {
  for (;;) {
    std::string result = word;
    const std::size_t at = random.below(word.size());
    const double drawn = random.uniform();
    if (drawn < 0.3 && word.size() > 2) {
      result.erase(at, 1);
    } else if (drawn < 0.5 && at + 1 < word.size()) {
      std::swap(result[at], result[at + 1]);
    } else {
      result[at] = static_cast<char>('A' + random.below(26));
    }
    if (result != word) return result;
  }
}

void swap_attributes(Scene& scene, Random& random) {
  Item& a = scene.items[0];
  Item& b = scene.items[1];
  const bool shapes = a.kind == Kind::group && b.kind == Kind::group && a.shape != b.shape &&
                      (a.colour == b.colour || random.uniform() < 0.35);
  if (shapes) {
    std::swap(a.shape, b.shape);
  } else {
    std::swap(a.colour, b.colour);
  }
}

double rate(const Faults& faults, Attribute attribute) {
  switch (attribute) {
    case Attribute::colour:
      return faults.colour;
    case Attribute::shape:
      return faults.shape;
    case Attribute::size:
      return faults.size;
    case Attribute::count:
      return faults.count;
    case Attribute::word:
      return faults.word;
    case Attribute::pose:
      return faults.pose;
    case Attribute::place:
      return faults.place;
  }
  return 0;
}

}  // namespace

std::span<const Teacher> teachers() { return kTeachers; }

const Teacher* find_teacher(std::string_view name) {
  const auto found = std::find_if(kTeachers.begin(), kTeachers.end(),
                                  [name](const Teacher& it) { return it.name == name; });
  return found == kTeachers.end() ? nullptr : &*found;
}

Scene misunderstood(const Scene& meant, const Teacher& teacher, Random& random) {
  Scene scene = meant;
  const bool two = scene.items.size() == 2;
  for (std::size_t i = 0; i < scene.items.size(); ++i) {
    for (const Attribute attribute : attributes_of(scene.items[i].kind)) {
      // Every fault draws, so that one that happens does not move the draws of the next.
      const bool wrong = random.uniform() < rate(teacher.faults, attribute);
      if (!wrong || (attribute == Attribute::place && two)) continue;
      if (attribute == Attribute::word) {
        scene.items[i].word = misspelt(scene.items[i].word, random);
      } else {
        scene = changed(scene, i, attribute, random).value_or(scene);
      }
    }
  }
  if (!two) return scene;
  if (random.uniform() < teacher.swap) {
    Scene swapped = scene;
    swap_attributes(swapped, random);
    if (is_valid(swapped)) scene = swapped;
  }
  if (random.uniform() < teacher.missing) {
    const auto gone = static_cast<std::ptrdiff_t>(random.below(2));
    scene.items.erase(scene.items.begin() + gone);
  }
  return scene;
}

image::Rgb draw(const Teacher& teacher, std::string_view prompt, int width, int height,
                Random random) {
  const auto meant = parse_prompt(prompt);
  if (!meant) return paint_blots(width, height, random);
  const Scene scene = misunderstood(*meant, teacher, random);
  return paint(scene, width, height, teacher.brush, random);
}

}  // namespace evd::rehearsal
