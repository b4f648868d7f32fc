#include "rehearsal/painter.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "rehearsal/draw.hpp"
#include "rehearsal/language.hpp"
#include "rehearsal/teachers.hpp"

namespace evd::rehearsal {
namespace {

Random dice(std::uint64_t id) { return {2, Purpose::test, id}; }

// Pixels that differ by more than a shade.
std::size_t different(const image::Rgb& a, const image::Rgb& b) {
  std::size_t count = 0;
  for (std::size_t i = 0; i < a.pixels.size(); i += 3) {
    int distance = 0;
    for (std::size_t c = i; c < i + 3; ++c) distance += std::abs(a.pixels[c] - b.pixels[c]);
    count += distance > 60;
  }
  return count;
}

TEST(Painter, EqualArgumentsGiveEqualPixels) {
  const Brush& brush = teachers()[0].brush;
  for (std::uint64_t i = 0; i < 50; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    EXPECT_EQ(paint(scene, 128, 128, brush, dice(i)).pixels,
              paint(scene, 128, 128, brush, dice(i)).pixels);
    EXPECT_NE(paint(scene, 128, 128, brush, dice(i)).pixels,
              paint(scene, 128, 128, brush, dice(i + 1)).pixels);
  }
}

TEST(Painter, EveryChangeShowsAtTheBaseModelsSize) {
  for (std::uint64_t i = 0; i < 2000; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    const std::size_t at = random.below(scene.items.size());
    const auto attributes = attributes_of(scene.items[at].kind);
    const auto other = changed(scene, at, attributes[random.below(attributes.size())], random);
    if (!other) continue;
    const auto a = paint(scene, 32, 32, {}, dice(0));
    const auto b = paint(*other, 32, 32, {}, dice(0));
    EXPECT_GE(different(a, b), 4U) << prompt_of(scene, Style::plain, random) << " / "
                                   << prompt_of(*other, Style::plain, random);
  }
}

TEST(Painter, DrawsAtAnySize) {
  const auto scene = parse_prompt("the word CAT in green letters above two small red circles");
  ASSERT_TRUE(scene.has_value());
  for (const auto& [width, height] :
       {std::pair{16, 16}, {32, 32}, {128, 128}, {1024, 512}, {96, 200}}) {
    const auto picture = paint(*scene, width, height, teachers()[0].brush, dice(1));
    EXPECT_EQ(picture.width, width);
    EXPECT_EQ(picture.height, height);
    EXPECT_EQ(picture.pixels.size(), static_cast<std::size_t>(3 * width * height));
    EXPECT_GT(different(picture, image::Rgb{width, height,
                                            std::vector<std::uint8_t>(picture.pixels.size(), 240)}),
              picture.pixels.size() / 3 / 20);
  }
}

TEST(Painter, RefusesAnImpossibleScene) {
  EXPECT_THROW((void)paint({}, 32, 32, {}, dice(0)), InternalError);
}

}  // namespace
}  // namespace evd::rehearsal
