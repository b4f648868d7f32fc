#include "shard/category.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace evd::shard {
namespace {

// A prompt and what a person says it asks for: h(uman), t(ext), m(ulti).
struct Labelled {
  const char* prompt;
  const char* expected;
};

std::string letters(const Categories& categories) {
  return std::string(categories.human ? "h" : "") + (categories.text ? "t" : "") +
         (categories.multi ? "m" : "");
}

const std::vector<Labelled> kPlain = {
    {"a red circle", ""},
    {"two red circles left of a small blue square", "m"},
    {"a red circle and a blue square", "m"},
    {"the word CAT in green letters", "t"},
    {"the word SUN above a yellow circle", "tm"},
    {"a person in a red shirt waving", "h"},
    {"a man with a sign saying STOP", "ht"},
    {"a storefront with \"Text to Image\" written on it", "t"},
    {"a neon sign that reads OPEN", "t"},
    {"a woman reading a book", "h"},
    {"a little girl holding the letter A", "ht"},
    {"a baby elephant", ""},
    {"a baby in a crib", "h"},
    {"a couple of apples", "m"},
    {"a couple dancing in the rain", "hm"},
    {"a snowman in the garden", ""},
    {"a fireman on a ladder", "h"},
    {"a German shepherd lying on the grass", ""},
    {"a black and white photograph of a cat", ""},
    {"cats and dogs", "m"},
    {"a cat and a dog sleeping", "m"},
    {"a two-story house", ""},
    {"a portrait, shot at 85 mm, 8k", ""},
    {"three mice on a piece of cheese", "m"},
    {"a pair of shoes", "m"},
    {"a stop sign at the corner", "t"},
    {"a house with the number 7 on its door", "t"},
    {"it's a dog's life", ""},
    {"ein Hund auf der Wiese", ""},
    {"\u4e00\u53ea\u732b", ""},
    {"", ""},
    {"A CHEF AND A WAITER", "hm"},
};

TEST(Category, PlainPromptsAreExactlyRight) {
  for (const auto& [prompt, expected] : kPlain)
    EXPECT_EQ(letters(categorize(prompt)), expected) << prompt;
}

// Drawn at random from PartiPrompts (Yu et al., 2022) and labelled before the rules saw them.
const std::vector<Labelled> kParti = {
    {"a squirrel", ""},
    {"a cup of boba", ""},
    {"A photo of a light bulb in outer space traveling the galaxy with a sailing boat inside the "
     "light bulb.",
     "m"},
    {"The Oriental Pearl", ""},
    {"a marina", ""},
    {"a banana", ""},
    {"An aerial view of Ha Long Bay without any boats", ""},
    {"a motorcycle parked in an ornate bank lobby with \"BUZZ\" written on its body", "t"},
    {"a store front", ""},
    {"a large white yacht tossed about in a stormy sea", ""},
    {"a black towel with a dog on it", ""},
    {"a photograph of a fiddle next to a basketball on a ping pong table", "m"},
    {"a circle", ""},
    {"a chopper decorated with the Stars and Stripes", ""},
    {"a mosquito biting a man", "hm"},
    {"an owl family in the forest", "m"},
    {"a young woman with glasses reading a thick book at a mahogany desk", "h"},
    {"The sculpture rolled off the shelf because it wasn't anchored", ""},
    {"a cat with four eyes", ""},
    {"a dolphin jumping over a rowboat", "m"},
    {"a marina with a herd of dolphins playing in it", "m"},
    {"an ocean at the base of the Great Wall", ""},
    {"a portrait of a man wearing sunglasses and a business suit, painting in pop art style", "h"},
    {"a mountain with a cloud hanging over it", ""},
    {"a small kitchen with a white goat in it", ""},
    {"a robot", ""},
    {"an abstract painting with blue, red and black", ""},
    {"graffiti of a rocket ship on a brick wall", ""},
    {"A photo of a Ming Dynasty vase on a leather topped table.", ""},
    {"a bottle", ""},
    {"a bird and its reflection in a fountain", ""},
    {"Portrait of a tiger wearing a train conductor's hat and holding a skateboard that has a "
     "yin-yang symbol on it. photograph",
     ""},
    {"an owl on top of an elephant's back", "m"},
    {"orange jello in the shape of a man", ""},
    {"a t-shirt with 'ANKH' written on it", "t"},
    {"A robot gives a wombat an orange and a lemur a banana.", "m"},
    {"a chimpanzee sitting on a wooden bench", ""},
    {"an ostrich standing on a couch", ""},
    {"a tiger wearing a tuxedo", ""},
    {"a sketch of a camel next to a stream", ""},
    {"a peaceful lakeside landscape with migrating herd of sauropods", "m"},
    {"a metallic blue sphere to the left of a brown cardboard box", "m"},
    {"a massive modern windmill", ""},
    {"the word 'START' on a blue t-shirt", "t"},
    {"a koi fish", ""},
    {"four green glass bottles", "m"},
    {"the city of London", ""},
    {"A spaceship made of cardboard.", ""},
    {"a flag with three vertical stripes that are blue, white and red", ""},
    {"Saturn rises on the horizon.", ""},
    {"a black background with a large yellow circle and a small red square", "m"},
    {"a fox", ""},
    {"a painting of black and white with a red border", ""},
    {"a propaganda poster", ""},
    {"an ostrich's face", ""},
    {"the words 'KEEP OFF THE GRASS' written on a brick wall", "t"},
    {"two cats doing research", "m"},
    {"A heart made of water", ""},
    {"a dolphin in an astronaut suit on saturn", ""},
    {"a cartoon of a boy playing with a tiger", "hm"},
    {"the statue of Liberty next to the Washington Monument", "m"},
    {"Snow mountain and tree reflection in the lake", ""},
    {"a kangaroo", ""},
    {"a large present with a red ribbon", ""},
    {"a sketch of a horse", ""},
    {"a pickup truck with a horse on its left and two dogs on its right", "m"},
    {"a giraffe with a funny face", ""},
    {"a Diplodocus standing in a lake", ""},
    {"a hot air balloon with chameleon logo. the sun is shining and puffy white clouds are in the "
     "background.",
     ""},
    // A second draw, never looked at while the rules were made.
    {"a traffic jam at Times Square", "m"},
    {"a plate that has no bananas on it. there is a glass without orange juice next to it.", "m"},
    {"Dogs sitting around a poker table", "m"},
    {"a tiny football in front of three yellow tennis balls", "m"},
    {"an old-fashioned windmill surrounded by flowers", ""},
    {"a cartoon of a train going to the moon", ""},
    {"A tornado made of bees crashing into a skyscraper. painting in the style of abstract cubism.",
     ""},
    {"A photo of a Japanese Porcelain Imari vase on the ground below a wooden chair.", "m"},
    {"a man standing under a tree", "h"},
    {"a girl with curly black hair jumping off a boulder", "h"},
    {"Two cups of coffee, one with latte art of yin yang symbol. The other has latte art of a "
     "heart.",
     "m"},
    {"the Mona Lisa in the style of Minecraft", "h"},
    {"four people riding in a convertible car", "hm"},
    {"a red box next to a blue box", "m"},
    {"a sword slicing through a loaf of bread", "m"},
    {"five green peppers to the right of two red onions", "m"},
    {"a crowd of people watching fireworks by a park", "hm"},
    {"a drawing of a space shuttle in the style of da Vinci", ""},
    {"a giraffe with an owl on its head", "m"},
    {"a dog wearing a baseball cap backwards and writing BONEZ on a chalkboard", "t"},
    {"an owl standing on a telephone wire", ""},
    {"the cover of a book about gardening", ""},
    {"a panda bear playing ping pong using a blue paddle against an ostrich using a red paddle",
     "m"},
    {"a diagram of the solar system", ""},
    {"a cat sitting on a stairway railing", ""},
    {"an abstract painting of three squares in blue, yellow and red", "m"},
    {"an elephant in a tennis court", ""},
    {"a store front that has the word ‘openai’ written on it.", "t"},
    {"A picture of some food in the plate", ""},
    {"a painting of a canal in Venice", ""},
    {"A small house in the wilderness", ""},
    {"two beat-up baseballs on either side of a yellow basketball", "m"},
    {"A television made of water that displays an image of a cityscape at night.", ""},
    {"a man standing on a street corner", "h"},
    {"a comic about an owl family in the forest", "m"},
    {"an elephant using its trunk to blow into a tuba", ""},
};

TEST(Category, AgreesWithPeopleOnPromptsOfOthers) {
  int wrong_human = 0;
  int wrong_text = 0;
  int wrong_multi = 0;
  std::string report;
  for (const auto& [prompt, expected] : kParti) {
    const std::string found = letters(categorize(prompt));
    const auto differs = [&](char c) {
      return (found.find(c) == std::string::npos) !=
             (std::string(expected).find(c) == std::string::npos);
    };
    wrong_human += differs('h') ? 1 : 0;
    wrong_text += differs('t') ? 1 : 0;
    wrong_multi += differs('m') ? 1 : 0;
    if (found != expected)
      report += std::string(prompt) + ": " + found + ", expected " + expected + "\n";
  }
  const auto count = static_cast<int>(kParti.size());
  EXPECT_GE(count, 100);
  EXPECT_LE(wrong_human, count / 20) << report;
  EXPECT_LE(wrong_text, count / 20) << report;
  EXPECT_LE(wrong_multi, count / 8) << report;
}

}  // namespace
}  // namespace evd::shard
