#include "rehearsal/scene.hpp"

#include <algorithm>

namespace evd::rehearsal {
namespace {

constexpr std::array kGroupAttributes = {Attribute::colour, Attribute::shape, Attribute::size,
                                         Attribute::count, Attribute::place};
constexpr std::array kLetteringAttributes = {Attribute::colour, Attribute::word, Attribute::place};
constexpr std::array kPersonAttributes = {Attribute::colour, Attribute::pose, Attribute::place};

constexpr std::array kGroupPlaces = {Place::middle, Place::left, Place::right, Place::top,
                                     Place::bottom};
constexpr std::array kLetteringPlaces = {Place::middle, Place::top, Place::bottom};
constexpr std::array kPersonPlaces = {Place::middle, Place::left, Place::right};

constexpr std::array<Place, 2> ends(Axis axis) {
  return axis == Axis::horizontal ? std::array{Place::left, Place::right}
                                  : std::array{Place::top, Place::bottom};
}

bool drawable(const std::string& word) {
  return !word.empty() && word.size() <= kMaxWordLetters &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

bool item_is_valid(const Item& item) {
  Item bare;
  bare.kind = item.kind;
  bare.colour = item.colour;
  bare.place = item.place;
  switch (item.kind) {
    case Kind::group:
      bare.shape = item.shape;
      bare.size = item.size;
      bare.count = item.count;
      return item == bare && item.count >= 1 && item.count <= kMaxCount;
    case Kind::lettering:
      bare.word = item.word;
      return item == bare && drawable(item.word);
    case Kind::person:
      bare.pose = item.pose;
      return item == bare;
  }
  return false;
}

// Another value than `current` among 0..count-1.
template <class E>
E other(E current, int count, Random& random) {
  const auto skip = static_cast<std::uint64_t>(current);
  const std::uint64_t drawn = random.below(static_cast<std::uint64_t>(count) - 1);
  return static_cast<E>(drawn < skip ? drawn : drawn + 1);
}

std::string other_word(const std::string& current, Random& random) {
  for (;;) {
    const std::string_view drawn = kWords[random.below(kWords.size())];
    if (drawn != current) return std::string(drawn);
  }
}

void alter(Item& it, Attribute attribute, Random& random) {
  switch (attribute) {
    case Attribute::colour:
      it.colour = other(it.colour, kColours, random);
      break;
    case Attribute::shape:
      it.shape = other(it.shape, kShapes, random);
      break;
    case Attribute::size:
      it.size = other(it.size, kSizes, random);
      break;
    case Attribute::count:
      it.count = it.count == 1 ? 2 : 1;
      break;
    case Attribute::word:
      it.word = other_word(it.word, random);
      break;
    case Attribute::pose:
      it.pose = other(it.pose, kPoses, random);
      break;
    case Attribute::place:
      break;
  }
}

// The two items of a pair, told apart by more than their place.
bool differ(Item first, const Item& second) {
  first.place = second.place;
  return first != second;
}

Scene moved(const Scene& scene, Random& random) {
  Scene result = scene;
  if (scene.items.size() == 1) {
    const auto places = places_of(scene.items[0].kind);
    do {
      result.items[0].place = places[random.below(places.size())];
    } while (result.items[0].place == scene.items[0].place);
    return result;
  }
  std::swap(result.items[0], result.items[1]);
  std::swap(result.items[0].place, result.items[1].place);
  return result;
}

void add_lone(std::vector<Scene>& scenes, const std::vector<Item>& items) {
  for (const Item& item : items) {
    for (const Place place : places_of(item.kind)) {
      scenes.push_back({{item}});
      scenes.back().items[0].place = place;
    }
  }
}

void add_pairs(std::vector<Scene>& scenes, const std::vector<Item>& firsts,
               const std::vector<Item>& seconds, Axis axis) {
  for (const Item& first : firsts) {
    for (const Item& second : seconds) {
      if (!differ(first, second)) continue;
      scenes.push_back({{first, second}});
      scenes.back().items[0].place = ends(axis)[0];
      scenes.back().items[1].place = ends(axis)[1];
    }
  }
}

std::vector<Item> all_items(Kind kind) {
  std::vector<Item> items;
  for (int colour = 0; colour < kColours; ++colour) {
    Item item{.kind = kind, .colour = static_cast<Colour>(colour)};
    if (kind == Kind::lettering) {
      for (const std::string_view word : kWords) {
        item.word = word;
        items.push_back(item);
      }
    } else if (kind == Kind::person) {
      for (int pose = 0; pose < kPoses; ++pose) {
        item.pose = static_cast<Pose>(pose);
        items.push_back(item);
      }
    } else {
      for (int i = 0; i < kShapes * kSizes * kMaxCount; ++i) {
        item.shape = static_cast<Shape>(i % kShapes);
        item.size = static_cast<Size>(i / kShapes % kSizes);
        item.count = 1 + i / (kShapes * kSizes);
        items.push_back(item);
      }
    }
  }
  return items;
}

}  // namespace

std::span<const Attribute> attributes_of(Kind kind) {
  switch (kind) {
    case Kind::group:
      return kGroupAttributes;
    case Kind::lettering:
      return kLetteringAttributes;
    case Kind::person:
      return kPersonAttributes;
  }
  return {};
}

std::span<const Place> places_of(Kind kind) {
  switch (kind) {
    case Kind::group:
      return kGroupPlaces;
    case Kind::lettering:
      return kLetteringPlaces;
    case Kind::person:
      return kPersonPlaces;
  }
  return {};
}

bool may_pair(Kind first, Kind second, Axis axis) {
  // A word needs the full width, a person the full height.
  const auto fits = [axis](Kind kind) {
    return kind == Kind::group || (kind == Kind::lettering) == (axis == Axis::vertical);
  };
  const bool two_words = first == Kind::lettering && second == Kind::lettering;
  return fits(first) && fits(second) && !two_words;
}

bool is_valid(const Scene& scene) {
  if (!std::all_of(scene.items.begin(), scene.items.end(), item_is_valid)) return false;
  if (scene.items.size() == 1) {
    const auto places = places_of(scene.items[0].kind);
    return std::find(places.begin(), places.end(), scene.items[0].place) != places.end();
  }
  if (scene.items.size() != 2 || !differ(scene.items[0], scene.items[1])) return false;
  for (const Axis axis : {Axis::horizontal, Axis::vertical}) {
    if (scene.items[0].place == ends(axis)[0] && scene.items[1].place == ends(axis)[1])
      return may_pair(scene.items[0].kind, scene.items[1].kind, axis);
  }
  return false;
}

Categories categories_of(const Scene& scene) {
  Categories categories;
  int things = 0;
  for (const Item& item : scene.items) {
    categories.human |= item.kind == Kind::person;
    categories.text |= item.kind == Kind::lettering;
    things += item.kind == Kind::group ? item.count : 1;
  }
  categories.multi = things > 1;
  return categories;
}

std::optional<Scene> changed(const Scene& scene, std::size_t item, Attribute attribute,
                             Random& random) {
  if (attribute == Attribute::place) return moved(scene, random);
  Scene result = scene;
  Item& it = result.items.at(item);
  const auto has = attributes_of(it.kind);
  if (std::find(has.begin(), has.end(), attribute) == has.end()) return std::nullopt;
  alter(it, attribute, random);
  // Two items must not become the same: the only other value may be the neighbour's.
  if (!is_valid(result)) alter(it, attribute, random);
  if (!is_valid(result) || result == scene) return std::nullopt;
  return result;
}

std::vector<Scene> all_scenes() {
  const auto groups = all_items(Kind::group);
  const auto words = all_items(Kind::lettering);
  const auto persons = all_items(Kind::person);
  std::vector<Scene> scenes;
  for (const auto* items : {&groups, &words, &persons}) add_lone(scenes, *items);
  add_pairs(scenes, groups, groups, Axis::horizontal);
  add_pairs(scenes, groups, groups, Axis::vertical);
  add_pairs(scenes, words, groups, Axis::vertical);
  add_pairs(scenes, groups, words, Axis::vertical);
  add_pairs(scenes, persons, groups, Axis::horizontal);
  add_pairs(scenes, groups, persons, Axis::horizontal);
  add_pairs(scenes, persons, persons, Axis::horizontal);
  return scenes;
}

}  // namespace evd::rehearsal
