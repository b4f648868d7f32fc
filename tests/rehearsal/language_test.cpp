#include "rehearsal/language.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "rehearsal/draw.hpp"

namespace evd::rehearsal {
namespace {

Random dice(std::uint64_t id) { return {1, Purpose::test, id}; }

std::size_t words_in(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), ' ')) + 1;
}

Item group(int count, Size size, Colour colour, Shape shape, Place place) {
  Item item;
  item.count = count;
  item.size = size;
  item.colour = colour;
  item.shape = shape;
  item.place = place;
  return item;
}

TEST(Language, HoldsAtLeastTwentyThousandDistinctScenes) {
  const auto scenes = all_scenes();
  const std::set<Scene> distinct(scenes.begin(), scenes.end());
  EXPECT_EQ(distinct.size(), scenes.size());
  EXPECT_GE(distinct.size(), 20000U);
  for (const Scene& scene : scenes) ASSERT_TRUE(is_valid(scene));
}

TEST(Language, WordsAreFewAndShort) {
  EXPECT_LE(kWords.size(), 12U);
  for (const auto word : kWords) EXPECT_LE(word.size(), 4U) << word;
}

TEST(Language, EveryStyleOfEverySceneIsUnderstood) {
  std::uint64_t id = 0;
  for (const Scene& scene : all_scenes()) {
    for (std::size_t style = 0; style < EnumNames<Style>::value.size(); ++style) {
      Random random = dice(++id);
      const std::string prompt = prompt_of(scene, static_cast<Style>(style), random);
      const auto parsed = parse_prompt(prompt);
      ASSERT_TRUE(parsed.has_value()) << prompt;
      ASSERT_TRUE(*parsed == scene) << prompt;
    }
  }
}

TEST(Language, StylesHaveTheirLengths) {
  for (std::uint64_t i = 0; i < 500; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    const auto length = [&](Style style) { return words_in(prompt_of(scene, style, random)); };
    EXPECT_LE(length(Style::plain), 16U);
    EXPECT_LE(length(Style::rough), length(Style::plain));
    EXPECT_LT(length(Style::dense), 30U);
    EXPECT_GT(length(Style::mixed), 30U);
    EXPECT_GT(length(Style::expansive), 50U);
  }
}

TEST(Language, UnderstandsTheThreeCategories) {
  const auto multi = parse_prompt("two red circles left of a small blue square");
  ASSERT_TRUE(multi.has_value());
  const Scene wanted{{group(2, Size::big, Colour::red, Shape::circle, Place::left),
                      group(1, Size::small, Colour::blue, Shape::square, Place::right)}};
  EXPECT_TRUE(*multi == wanted);
  EXPECT_TRUE(categories_of(*multi).multi);

  const auto text = parse_prompt("the word CAT in green letters");
  ASSERT_TRUE(text.has_value());
  EXPECT_EQ(text->items[0].word, "CAT");
  EXPECT_EQ(text->items[0].colour, Colour::green);
  EXPECT_TRUE(categories_of(*text).text);

  const auto human = parse_prompt("a person in a red shirt waving");
  ASSERT_TRUE(human.has_value());
  EXPECT_EQ(human->items[0].pose, Pose::waving);
  EXPECT_TRUE(categories_of(*human).human);
  EXPECT_FALSE(categories_of(*human).multi);
}

TEST(Language, OtherWordsForTheSameScene) {
  const auto plain = parse_prompt("two red circles left of a small blue square");
  for (const char* other : {
           "A small blue square, right of two red circles!",
           "Two red discs on the left and a tiny blue box on the right.",
           "On the right a small blue square, two red balls on the left",
           "a pair of large red circles to the left of one little blue square on plain paper",
       }) {
    const auto scene = parse_prompt(other);
    ASSERT_TRUE(scene.has_value()) << other;
    EXPECT_TRUE(*scene == *plain) << other;
  }
}

TEST(Language, APlaceMayStandFirst) {
  const auto scene = parse_prompt("on the right a green triangle");
  ASSERT_TRUE(scene.has_value());
  EXPECT_EQ(scene->items[0].place, Place::right);
}

TEST(Language, UnknownWordsMayBeAskedFor) {
  const auto scene = parse_prompt("the word HELLO in red letters at the top");
  ASSERT_TRUE(scene.has_value());
  EXPECT_EQ(scene->items[0].word, "HELLO");
}

TEST(Language, TextsOutsideAreNotUnderstood) {
  for (const std::string prompt :
       {"", " ", "a cat on a mat", "three red circles", "a circle", "the word in red letters",
        "a red circle, a blue square and a green triangle", "ein roter Kreis", "\xff\xfe red",
        "the word EXTRAORDINARY in red letters", "a red circle left of a red circle"}) {
    EXPECT_FALSE(parse_prompt(prompt).has_value()) << prompt;
  }
  EXPECT_FALSE(parse_prompt(std::string(100000, 'x') + " red circle").has_value());
}

TEST(Language, ChangedDiffersInThatAttributeOnly) {
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Random random = dice(i);
    const Scene scene = draw_scene(random);
    const std::size_t at = random.below(scene.items.size());
    for (const Attribute attribute : attributes_of(scene.items[at].kind)) {
      const auto other = changed(scene, at, attribute, random);
      if (!other) continue;
      ASSERT_TRUE(is_valid(*other));
      ASSERT_FALSE(*other == scene);
      if (attribute == Attribute::place) continue;
      Scene back = *other;
      Item& item = back.items[at];
      const Item& was = scene.items[at];
      switch (attribute) {
        case Attribute::colour:
          item.colour = was.colour;
          break;
        case Attribute::shape:
          item.shape = was.shape;
          break;
        case Attribute::size:
          item.size = was.size;
          break;
        case Attribute::count:
          item.count = was.count;
          break;
        case Attribute::word:
          item.word = was.word;
          break;
        case Attribute::pose:
          item.pose = was.pose;
          break;
        case Attribute::place:
          break;
      }
      ASSERT_TRUE(back == scene);
    }
  }
}

TEST(Draw, TheStartIsNarrowerThanTheWhole) {
  std::set<Scene> start;
  std::set<Scene> whole;
  std::set<Colour> start_colours;
  for (std::uint64_t i = 0; i < 5000; ++i) {
    Random a = dice(i);
    Random b = dice(i + 100000);
    const Scene narrow = draw_start_scene(a);
    ASSERT_TRUE(is_valid(narrow));
    start.insert(narrow);
    const Scene wide = draw_scene(b);
    ASSERT_TRUE(is_valid(wide));
    whole.insert(wide);
    for (const Item& item : narrow.items) {
      start_colours.insert(item.colour);
      EXPECT_EQ(item.count, 1);
    }
  }
  EXPECT_LT(start.size() * 4, whole.size());
  EXPECT_LT(start_colours.size(), static_cast<std::size_t>(kColours));
}

TEST(Draw, VariationsStayInTheLanguageAndDiffer) {
  for (std::uint64_t i = 0; i < 3000; ++i) {
    Random random = dice(i);
    const Scene scene = draw_start_scene(random);
    const Scene varied = vary(scene, random);
    ASSERT_TRUE(is_valid(varied));
    ASSERT_FALSE(varied == scene);
  }
}

TEST(Draw, VariationsReachWhatTheStartLacks) {
  bool two = false;
  bool other_colour = false;
  bool vertical = false;
  for (std::uint64_t i = 0; i < 500; ++i) {
    Random random = dice(i);
    const Scene varied = vary(draw_start_scene(random), random);
    for (const Item& item : varied.items) {
      two |= item.count == 2;
      other_colour |= item.colour == Colour::purple || item.colour == Colour::black;
      vertical |= varied.items.size() == 2 && item.place == Place::top;
    }
  }
  EXPECT_TRUE(two && other_colour && vertical);
}

}  // namespace
}  // namespace evd::rehearsal
