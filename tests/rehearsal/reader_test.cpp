#include "rehearsal/reader.hpp"

#include <cmath>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "rehearsal/draw.hpp"
#include "rehearsal/language.hpp"
#include "rehearsal/painter.hpp"
#include "rehearsal/teachers.hpp"
#include "rehearsal/yardstick.hpp"
#include "support/process.hpp"

namespace evd::rehearsal {
namespace {

constexpr std::uint64_t kScenes = 3000;

Random dice(std::uint64_t id) { return {6, Purpose::test, id}; }

struct Twist {
  Scene meant;
  Scene wrong;
  std::size_t item = 0;
  Attribute attribute = Attribute::colour;
};

// A scene, and the same with one attribute wrong.
Twist twist(std::uint64_t id) {
  Random random = dice(id);
  for (;;) {
    Twist it;
    it.meant = draw_scene(random);
    it.item = random.below(it.meant.items.size());
    const auto attributes = attributes_of(it.meant.items[it.item].kind);
    it.attribute = attributes[random.below(attributes.size())];
    if (const auto wrong = changed(it.meant, it.item, it.attribute, random)) {
      it.wrong = *wrong;
      return it;
    }
  }
}

struct Tally {
  int right = 0;
  int all = 0;
  void count(bool good) {
    ++all;
    right += good;
  }
  [[nodiscard]] double share() const { return static_cast<double>(right) / all; }
};

image::Rgb perfect(const Scene& scene, int side) {
  return paint(scene, side, side, {}, Random(0, Purpose::test));
}

TEST(Reader, PrefersTheRightPictureOfAPerfectPainterAt32Px) {
  std::map<Attribute, Tally> by;
  for (std::uint64_t i = 0; i < kScenes; ++i) {
    const Twist it = twist(i);
    by[it.attribute].count(fit(it.meant, perfect(it.meant, 32)) >
                           fit(it.meant, perfect(it.wrong, 32)));
  }
  for (const auto& [attribute, tally] : by) EXPECT_GE(tally.share(), 0.95) << name(attribute);
}

TEST(Reader, DetectsEachAttributeOfAPerfectPainterAt32Px) {
  std::map<Attribute, Tally> present;
  std::map<Attribute, Tally> absent;
  for (std::uint64_t i = 0; i < kScenes; ++i) {
    const Twist it = twist(i);
    for (const Fit& f : fits(it.meant, perfect(it.meant, 32)))
      present[f.attribute].count(f.score > 0.5);
    if (it.attribute == Attribute::place) continue;  // of a pair: all other attributes change
    for (const Fit& f : fits(it.meant, perfect(it.wrong, 32))) {
      if (f.item == it.item && f.attribute == it.attribute)
        absent[f.attribute].count(f.score < 0.5);
    }
  }
  for (const auto& [attribute, tally] : present) EXPECT_GE(tally.share(), 0.95) << name(attribute);
  for (const auto& [attribute, tally] : absent) EXPECT_GE(tally.share(), 0.95) << name(attribute);
}

TEST(Reader, WorksOnEveryTeachersHandAndAnySize) {
  for (const Teacher& teacher : teachers()) {
    for (const int side : {32, 64, 128, 300}) {
      Tally tally;
      for (std::uint64_t i = 0; i < 300; ++i) {
        const Twist it = twist(i);
        tally.count(fit(it.meant, paint(it.meant, side, side, teacher.brush, dice(i))) >
                    fit(it.meant, paint(it.wrong, side, side, teacher.brush, dice(i + 1))));
      }
      EXPECT_GE(tally.share(), 0.95) << teacher.name << " at " << side;
    }
  }
}

TEST(Reader, SeesAMisspeltWord) {
  Tally tally;
  for (std::uint64_t i = 0; i < 600; ++i) {
    Random random = dice(i);
    Item item;
    item.kind = Kind::lettering;
    item.word = kWords[i % kWords.size()];
    item.colour = static_cast<Colour>(i % kColours);
    const Scene meant{{item}};
    const Teacher speller{.name = "speller", .faults = {.word = 1}};
    const Scene wrong = misunderstood(meant, speller, random);
    tally.count(fit(meant, perfect(meant, 32)) > fit(meant, perfect(wrong, 32)));
  }
  EXPECT_GE(tally.share(), 0.95);
}

TEST(Reader, ABlankOrRandomPictureFitsNothing) {
  image::Rgb blank{32, 32, std::vector<std::uint8_t>(3072, 240)};
  image::Rgb noise = blank;
  Random random = dice(1);
  for (auto& value : noise.pixels) value = static_cast<std::uint8_t>(random.below(256));
  for (std::uint64_t i = 0; i < 200; ++i) {
    Random scenes = dice(i);
    const Scene scene = draw_scene(scenes);
    EXPECT_LT(fit(scene, blank), 0.35);
    EXPECT_LT(fit(scene, noise), 0.6);
  }
}

TEST(Yardstick, PerfectPicturesMeasureOne) {
  const Yardstick yardstick;
  for (std::uint64_t i = 0; i < kScenes; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    ASSERT_EQ(yardstick.alignment(scene, perfect(scene, 32)), 1.0)
        << prompt_of(scene, Style::plain, random);
    if (i % 10 == 0) {
      EXPECT_GE(yardstick.alignment(scene, perfect(scene, 128)), 0.9);
    }
  }
}

TEST(Yardstick, OneWrongAttributeIsFound) {
  const Yardstick yardstick;
  Tally tally;
  for (std::uint64_t i = 0; i < kScenes; ++i) {
    const Twist it = twist(i);
    const auto checks = yardstick.check(it.meant, perfect(it.wrong, 32));
    if (it.attribute == Attribute::place) {
      tally.count(yardstick.alignment(it.meant, perfect(it.wrong, 32)) < 1);
      continue;
    }
    for (const Check& check : checks) {
      if (check.item == it.item && check.attribute == it.attribute) tally.count(!check.right);
    }
  }
  EXPECT_GE(tally.share(), 0.99);
}

TEST(Yardstick, ChanceMeasuresNearZero) {
  const Yardstick yardstick;
  std::vector<double> blank;
  std::vector<double> noise;
  std::vector<double> other;
  for (std::uint64_t i = 0; i < 300; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    image::Rgb picture{32, 32, std::vector<std::uint8_t>(3072, 240)};
    blank.push_back(yardstick.alignment(scene, picture));
    for (auto& value : picture.pixels) value = static_cast<std::uint8_t>(random.below(256));
    noise.push_back(yardstick.alignment(scene, picture));
    other.push_back(yardstick.alignment(scene, perfect(draw_scene(random), 32)));
  }
  EXPECT_LT(estimate(blank).mean, 0.02);
  EXPECT_LT(estimate(noise).mean, 0.10);
  EXPECT_LT(estimate(other).mean, 0.20);
}

TEST(Yardstick, AgreesWithTheReaderOnPicturesOfTeachers) {
  const Yardstick yardstick;
  Tally tally;
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Random random = dice(i);
    const Scene meant = draw_scene(random);
    const Teacher& teacher = teachers()[i % 4];
    const Scene mind = misunderstood(meant, teacher, random);
    const auto picture = image::resize_cover(paint(mind, 128, 128, teacher.brush, random), 32, 32);
    tally.count((yardstick.alignment(meant, picture) > 0.999) == (fit(meant, picture) > 0.93));
  }
  EXPECT_GE(tally.share(), 0.93);
}

// It measures what the judge has led to, so it must not see with the judge's eyes.
TEST(Yardstick, SharesNoCodeWithTheReader) {
  const auto lib = test::source_directory() / "lib" / "rehearsal";
  const auto includes = [&](const std::string& file) {
    std::ifstream in(lib / file);
    EXPECT_TRUE(in.good()) << file;
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  };
  for (const char* file : {"yardstick.hpp", "yardstick.cpp"}) {
    for (const char* eye : {"reader.hpp", "coverage.hpp", "spelling.hpp", "opinion.hpp"})
      EXPECT_EQ(includes(file).find(eye), std::string::npos) << file;
  }
  for (const char* file : {"reader.hpp", "reader.cpp", "coverage.hpp", "coverage.cpp",
                           "spelling.hpp", "spelling.cpp"}) {
    for (const char* other : {"yardstick.hpp", "painter.hpp", "canvas.hpp"})
      EXPECT_EQ(includes(file).find(other), std::string::npos) << file;
  }
}

TEST(Yardstick, IntervalOfAMean) {
  const Estimate e = estimate({0.4, 0.6, 0.6, 0.4});
  EXPECT_DOUBLE_EQ(e.mean, 0.5);
  EXPECT_NEAR(e.high - e.mean, 1.96 * std::sqrt(0.04 / 3 / 4), 1e-9);
  EXPECT_NEAR(e.mean - e.low, e.high - e.mean, 1e-9);
  EXPECT_EQ(estimate({}).count, 0U);
}

}  // namespace
}  // namespace evd::rehearsal
