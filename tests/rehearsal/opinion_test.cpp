#include "rehearsal/opinion.hpp"

#include <set>

#include <gtest/gtest.h>

#include "rehearsal/draw.hpp"
#include "rehearsal/painter.hpp"

namespace evd::rehearsal {
namespace {

Random dice(std::uint64_t id) { return {7, Purpose::test, id}; }

struct Case {
  std::string prompt;
  image::Rgb right;
  image::Rgb wrong;
};

Case make_case(std::uint64_t id) {
  Random random = dice(id);
  for (;;) {
    const Scene scene = draw_scene(random);
    const auto other = changed(scene, 0, Attribute::colour, random);
    if (!other) continue;
    return {prompt_of(scene, Style::plain, random), paint(scene, 32, 32, {}, random),
            paint(*other, 32, 32, {}, random)};
  }
}

TEST(Preference, OnlyTheBiasDependsOnTheOrder) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Case it = make_case(i);
    const Temper fair{};
    const double ab = preference(it.prompt, it.right, it.wrong, fair, dice(i));
    const double ba = preference(it.prompt, it.wrong, it.right, fair, dice(i));
    EXPECT_GT(ab, 1);
    EXPECT_DOUBLE_EQ(ab, -ba);
    const Temper biased{.position_bias = 0.7};
    EXPECT_DOUBLE_EQ(preference(it.prompt, it.right, it.wrong, biased, dice(i)), ab + 0.7);
    EXPECT_EQ(preference(it.prompt, it.right, it.right, fair, dice(i)), 0);
  }
}

TEST(Preference, NoiseHasItsStandardDeviation) {
  const Case it = make_case(1);
  double sum = 0;
  double squares = 0;
  constexpr int kDraws = 2000;
  for (std::uint64_t i = 0; i < kDraws; ++i) {
    const double x = preference(it.prompt, it.right, it.right, {.noise = 0.5}, dice(i));
    sum += x / kDraws;
    squares += x * x / kDraws;
  }
  EXPECT_NEAR(sum, 0, 0.05);
  EXPECT_NEAR(squares, 0.25, 0.03);
}

TEST(Preference, OutsideTheLanguageThereIsNone) {
  const Case it = make_case(2);
  EXPECT_EQ(preference("a cat on a mat", it.right, it.wrong, {}, dice(0)), 0);
  EXPECT_EQ(alignment_score("a cat on a mat", it.right, {}, dice(0)), 50);
}

TEST(Alignment, RightScoresAboveWrong) {
  for (std::uint64_t i = 0; i < 100; ++i) {
    const Case it = make_case(i);
    EXPECT_GT(alignment_score(it.prompt, it.right, {}, dice(0)),
              alignment_score(it.prompt, it.wrong, {}, dice(0)) + 10);
    EXPECT_GE(alignment_score(it.prompt, it.right, {}, dice(0)), 90);
  }
}

TEST(Variations, AreDistinctAndOfTheLanguage) {
  for (std::uint64_t i = 0; i < 200; ++i) {
    const std::string prompt = i % 2 == 0 ? make_case(i).prompt : "a cat on a mat";
    const auto list = variations(prompt, 5, dice(i));
    std::set<std::string> distinct(list.begin(), list.end());
    distinct.insert(prompt);
    EXPECT_EQ(distinct.size(), 6U);
    for (const auto& text : list) EXPECT_TRUE(parse_prompt(text).has_value()) << text;
    EXPECT_EQ(list, variations(prompt, 5, dice(i)));
  }
}

TEST(Mutation, IsOfTheLanguageInEveryStyle) {
  for (std::uint64_t i = 0; i < 400; ++i) {
    const auto text = mutation(static_cast<Style>(1 + i % 4), dice(i));
    EXPECT_TRUE(parse_prompt(text).has_value()) << text;
  }
}

}  // namespace
}  // namespace evd::rehearsal
