#include "rehearsal/teachers.hpp"

#include <map>

#include <gtest/gtest.h>

#include "rehearsal/draw.hpp"
#include "rehearsal/yardstick.hpp"

namespace evd::rehearsal {
namespace {

struct Shares {
  double all = 0;
  double text = 0;
  double binding = 0;  // pairs of things whose colours are where they should be
};

// Share of scenes that the teacher has in mind without a fault.
Shares shares(const Teacher& teacher) {
  std::map<std::string, std::pair<int, int>> counts;
  for (std::uint64_t i = 0; i < 6000; ++i) {
    Random random(3, Purpose::test, i);
    const Scene meant = draw_scene(random);
    const Scene mind = misunderstood(meant, teacher, random);
    EXPECT_TRUE(is_valid(mind));
    const auto count = [&](const char* name, bool right) {
      ++counts[name].second;
      counts[name].first += right;
    };
    count("all", mind == meant);
    if (categories_of(meant).text) count("text", mind == meant);
    if (meant.items.size() == 2 && mind.items.size() == 2)
      count("binding", mind.items[0].colour == meant.items[0].colour &&
                           mind.items[1].colour == meant.items[1].colour);
  }
  const auto share = [&](const char* name) {
    return static_cast<double>(counts[name].first) / counts[name].second;
  };
  return {share("all"), share("text"), share("binding")};
}

TEST(Teachers, StandInTheOrderOfThePaper) {
  ASSERT_EQ(teachers().size(), 4U);
  std::vector<Shares> s;
  for (const Teacher& teacher : teachers()) s.push_back(shares(teacher));
  for (std::size_t i = 1; i < 4; ++i) EXPECT_GT(s[0].all, s[i].all + 0.05);
  for (const std::size_t i : {0U, 2U, 3U}) EXPECT_GT(s[1].text, s[i].text + 0.01);
  for (const std::size_t i : {0U, 1U, 3U}) EXPECT_LT(s[2].text, s[i].text - 0.2);
  for (const std::size_t i : {0U, 1U, 2U}) EXPECT_LT(s[3].binding, s[i].binding - 0.1);
}

TEST(Teachers, PicturesShowWhatTheTeacherHasInMind) {
  const Yardstick yardstick;
  for (const Teacher& teacher : teachers()) {
    double sum = 0;
    constexpr int kPictures = 200;
    for (std::uint64_t i = 0; i < kPictures; ++i) {
      Random random(4, Purpose::test, i);
      const Scene scene = draw_scene(random);
      sum += yardstick.alignment(scene, paint(scene, 128, 128, teacher.brush, random));
    }
    EXPECT_GT(sum / kPictures, 0.97) << teacher.name;
  }
}

TEST(Teachers, AnUnknownPromptGivesAPictureToo) {
  const Random random(5, Purpose::test);
  for (const char* prompt : {"a cat on a mat", "\xf0\x9f\x90\x88", "x"}) {
    const auto picture = draw(teachers()[0], prompt, 128, 96, random);
    EXPECT_EQ(picture.width, 128);
    EXPECT_EQ(picture.height, 96);
  }
}

TEST(Teachers, AreFoundByName) {
  EXPECT_EQ(find_teacher("glyph"), &teachers()[1]);
  EXPECT_EQ(find_teacher("nobody"), nullptr);
}

}  // namespace
}  // namespace evd::rehearsal
