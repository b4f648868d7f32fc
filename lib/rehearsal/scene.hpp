#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "core/random.hpp"

namespace evd::rehearsal {

enum class Kind : std::uint8_t { group, lettering, person };
enum class Colour : std::uint8_t { red, green, blue, yellow, purple, black };
enum class Shape : std::uint8_t { circle, square, triangle };
enum class Size : std::uint8_t { big, small };
enum class Pose : std::uint8_t { standing, waving, cheering };
enum class Place : std::uint8_t { middle, left, right, top, bottom };
/// What can be right or wrong about one item of a picture.
enum class Attribute : std::uint8_t { colour, shape, size, count, word, pose, place };

constexpr int kColours = 6;
constexpr int kShapes = 3;
constexpr int kSizes = 2;
constexpr int kPoses = 3;
constexpr int kPlaces = 5;
constexpr int kMaxCount = 2;
constexpr std::size_t kMaxWordLetters = 6;

/// Words that prompts of the language ask for. Other words of 1 to 6 capital letters are
/// understood, drawn and read too, but never made up.
inline constexpr std::array<std::string_view, 12> kWords = {
    "CAT", "DOG", "SUN", "SKY", "TREE", "MOON", "BIRD", "FISH", "STAR", "ROSE", "CAKE", "RAIN"};

/// One thing in the picture: one or two equal shapes, a word, or a person in a coloured shirt.
/// Members that its kind does not use stay at their defaults.
struct Item {
  Kind kind = Kind::group;
  Colour colour = Colour::red;  ///< of the shapes, the letters or the shirt
  Place place = Place::middle;
  Shape shape = Shape::circle;  ///< group
  Size size = Size::big;        ///< group
  int count = 1;                ///< group: 1 or 2
  Pose pose = Pose::standing;   ///< person
  std::string word;             ///< lettering

  friend auto operator<=>(const Item&, const Item&) = default;
};

/// What a prompt asks for: one item anywhere its kind may stand, or two items side by side (left,
/// right) or one above the other (top, bottom), in that order.
struct Scene {
  std::vector<Item> items;

  friend auto operator<=>(const Scene&, const Scene&) = default;
};

struct Categories {
  bool human = false;
  bool text = false;
  bool multi = false;
};

/// Attributes that an item of this kind has.
[[nodiscard]] std::span<const Attribute> attributes_of(Kind kind);
/// Places where a lone item of this kind may stand.
[[nodiscard]] std::span<const Place> places_of(Kind kind);
/// One or two items in allowed places, in reading order, words drawable.
[[nodiscard]] bool is_valid(const Scene& scene);
/// Two items may share a picture along this axis (left-right, else top-bottom).
enum class Axis : std::uint8_t { horizontal, vertical };
[[nodiscard]] bool may_pair(Kind first, Kind second, Axis axis);
/// human = a person, text = a word, multi = more than one thing.
[[nodiscard]] Categories categories_of(const Scene& scene);
/// The scene with this attribute of this item changed to another value, still valid; of a lone item
/// also the place, of two items the places of both. Nothing when there is no other value.
[[nodiscard]] std::optional<Scene> changed(const Scene& scene, std::size_t item,
                                           Attribute attribute, Random& random);
/// Every scene of the language, each once.
[[nodiscard]] std::vector<Scene> all_scenes();

}  // namespace evd::rehearsal

namespace evd {
#define EVD_REHEARSAL_NAMES(Type, count, ...)                                   \
  template <>                                                                   \
  struct EnumNames<rehearsal::Type> {                                           \
    static constexpr std::array<std::string_view, count> value = {__VA_ARGS__}; \
  }
EVD_REHEARSAL_NAMES(Kind, 3, "group", "lettering", "person");
EVD_REHEARSAL_NAMES(Colour, 6, "red", "green", "blue", "yellow", "purple", "black");
EVD_REHEARSAL_NAMES(Shape, 3, "circle", "square", "triangle");
EVD_REHEARSAL_NAMES(Size, 2, "big", "small");
EVD_REHEARSAL_NAMES(Pose, 3, "standing", "waving", "cheering");
EVD_REHEARSAL_NAMES(Place, 5, "middle", "left", "right", "top", "bottom");
EVD_REHEARSAL_NAMES(Attribute, 7, "colour", "shape", "size", "count", "word", "pose", "place");
#undef EVD_REHEARSAL_NAMES
}  // namespace evd
