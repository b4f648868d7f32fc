#include "rehearsal/draw.hpp"

namespace evd::rehearsal {
namespace {

template <class E>
E pick(Random& random, int count) {
  return static_cast<E>(random.below(static_cast<std::uint64_t>(count)));
}

Item draw_item(Kind kind, Random& random) {
  Item item;
  item.kind = kind;
  item.colour = pick<Colour>(random, kColours);
  if (kind == Kind::group) {
    item.shape = pick<Shape>(random, kShapes);
    item.size = random.uniform() < 0.35 ? Size::small : Size::big;
    item.count = random.uniform() < 0.35 ? 2 : 1;
  } else if (kind == Kind::lettering) {
    item.word = kWords[random.below(kWords.size())];
  } else {
    item.pose = pick<Pose>(random, kPoses);
  }
  return item;
}

Scene lone(Item item, Random& random) {
  const auto places = places_of(item.kind);
  item.place = places[random.below(places.size())];
  return {{item}};
}

// The second item on the side that `random` picks; drawn again until the two differ.
Scene pair(const Item& first, Kind other, Random& random) {
  for (;;) {
    Item second = draw_item(other, random);
    const bool lettering = first.kind == Kind::lettering || other == Kind::lettering;
    const bool person = first.kind == Kind::person || other == Kind::person;
    const bool vertical = lettering || (!person && random.uniform() < 0.5);
    Scene scene{{first, second}};
    if (random.uniform() < 0.5) std::swap(scene.items[0], scene.items[1]);
    scene.items[0].place = vertical ? Place::top : Place::left;
    scene.items[1].place = vertical ? Place::bottom : Place::right;
    if (is_valid(scene)) return scene;
  }
}

Scene add_item(const Scene& scene, Random& random) {
  const Item& item = scene.items[0];
  const double drawn = random.uniform();
  Kind other = Kind::group;
  if (item.kind == Kind::group && drawn < 0.2) other = Kind::lettering;
  if (item.kind != Kind::lettering && drawn > 0.8) other = Kind::person;
  return pair(item, other, random);
}

Scene take_item(const Scene& scene, Random& random) {
  return lone(scene.items[random.below(2)], random);
}

}  // namespace

Scene draw_start_scene(Random& random) {
  const double drawn = random.uniform();
  Item item = draw_item(drawn < 0.6   ? Kind::group
                        : drawn < 0.8 ? Kind::lettering
                                      : Kind::person,
                        random);
  item.colour = pick<Colour>(random, 4);  // red, green, blue, yellow
  item.count = 1;
  if (item.kind != Kind::group || random.uniform() < 0.6) {
    Scene scene = lone(item, random);
    // Near the middle: the whole height and width of the picture is seldom asked for.
    if (random.uniform() < 0.6) scene.items[0].place = Place::middle;
    return scene;
  }
  for (;;) {
    Scene scene = pair(item, Kind::group, random);
    for (Item& it : scene.items) {
      it.colour = pick<Colour>(random, 4);
      it.count = 1;
      it.size = Size::big;
    }
    if (is_valid(scene) && scene.items[0].place == Place::left) return scene;
  }
}

Scene draw_scene(Random& random) {
  const double drawn = random.uniform();
  if (drawn < 0.20) return lone(draw_item(Kind::group, random), random);
  if (drawn < 0.32) return lone(draw_item(Kind::lettering, random), random);
  if (drawn < 0.44) return lone(draw_item(Kind::person, random), random);
  if (drawn < 0.74) return pair(draw_item(Kind::group, random), Kind::group, random);
  if (drawn < 0.86) return pair(draw_item(Kind::lettering, random), Kind::group, random);
  if (drawn < 0.96) return pair(draw_item(Kind::person, random), Kind::group, random);
  return pair(draw_item(Kind::person, random), Kind::person, random);
}

Scene vary(const Scene& scene, Random& random) {
  Scene result = scene;
  const double structure = random.uniform();
  if (scene.items.size() == 1 && structure < 0.35) {
    result = add_item(scene, random);
  } else if (scene.items.size() == 2 && structure < 0.15) {
    result = take_item(scene, random);
  }
  const int changes = 1 + static_cast<int>(random.below(2));
  for (int done = 0; done < changes || result == scene;) {
    const std::size_t item = random.below(result.items.size());
    const auto attributes = attributes_of(result.items[item].kind);
    const auto next = changed(result, item, attributes[random.below(attributes.size())], random);
    if (!next) continue;
    result = *next;
    ++done;
  }
  return result;
}

}  // namespace evd::rehearsal
