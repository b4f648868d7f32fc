#include "rehearsal/reader.hpp"

#include <algorithm>
#include <array>
#include <cmath>

#include "rehearsal/coverage.hpp"
#include "rehearsal/spelling.hpp"

namespace evd::rehearsal {
namespace {

// 0 below `low`, 1 above `high`, straight between.
double ramp(double value, double low, double high) {
  return std::clamp((value - low) / (high - low), 0.0, 1.0);
}

Box region_of(Place place, bool lone) {
  if (lone) return {};
  switch (place) {
    case Place::middle:
      return {};
    case Place::left:
      return {0, 0, 16, 32};
    case Place::right:
      return {16, 0, 32, 32};
    case Place::top:
      return {0, 0, 32, 16};
    case Place::bottom:
      return {0, 16, 32, 32};
  }
  return {};
}

struct Point {
  double x;
  double y;
};

Point centre_of(Place place) {
  switch (place) {
    case Place::middle:
      return {16, 16};
    case Place::left:
      return {8, 16};
    case Place::right:
      return {24, 16};
    case Place::top:
      return {16, 8};
    case Place::bottom:
      return {16, 24};
  }
  return {16, 16};
}

// How much of everything painted in the box is of this colour; 0 where there is next to nothing.
double colour_share(const Coverage& seen, const Box& box, Colour colour, double least_mass) {
  double all = 0;
  for (int paint = 0; paint < Coverage::kPaints; ++paint) all += moments(seen.of(paint), box).mass;
  const double mass = moments(seen.of(colour), box).mass;
  if (all <= 0) return 0;
  return ramp(mass / all, 0.35, 0.75) * ramp(mass, least_mass / 2, least_mass);
}

// 1 where the mass lies at the meant place, 0 where another allowed place is nearer.
double place_score(const Item& meant, const Moments& mass) {
  const auto distance = [&](Place place) {
    const Point centre = centre_of(place);
    return std::hypot(mass.x - centre.x, mass.y - centre.y);
  };
  double other = 1e9;
  for (const Place place : places_of(meant.kind)) {
    if (place != meant.place) other = std::min(other, distance(place));
  }
  return mass.mass < 4 ? 0 : ramp(other - distance(meant.place), -2, 2);
}

struct FormScores {
  double shape = 0;
  double area = 0;
};

// One body of paint: which shape it has, by the skew of its rows (a triangle stands on its base)
// and by how its corners are filled (a square's coordinates are independent, a circle's are not).
double shape_score(const Moments& body, Shape meant) {
  if (body.mass < 6 || body.xx <= 0 || body.yy <= 0) return 0;
  const double skew = -body.yyy / std::pow(body.yy, 1.5);
  const double corners = body.xxyy / (body.xx * body.yy);
  const double triangle = ramp(skew, 0.16, 0.34);
  // Small bodies lose their corners to the pixels.
  const double border = body.mass > 78 ? 0.83 : 0.80;
  const double square = (1 - triangle) * ramp(corners, border - 0.06, border + 0.06);
  switch (meant) {
    case Shape::triangle:
      return triangle;
    case Shape::square:
      return square;
    case Shape::circle:
      return 1 - triangle - square;
  }
  return 0;
}

class Eye {
 public:
  Eye(const Scene& meant, const image::Rgb& picture) : meant_(meant), seen_(picture) {}

  std::vector<Fit> look() {
    for (std::size_t i = 0; i < meant_.items.size(); ++i) {
      index_ = i;
      switch (meant_.items[i].kind) {
        case Kind::group:
          group(meant_.items[i]);
          break;
        case Kind::lettering:
          lettering(meant_.items[i]);
          break;
        case Kind::person:
          person(meant_.items[i]);
          break;
      }
    }
    return std::move(fits_);
  }

 private:
  [[nodiscard]] bool lone() const { return meant_.items.size() == 1; }

  void add(Attribute attribute, double score, double weight = 1) {
    fits_.push_back({index_, attribute, score, weight});
  }

  void group(const Item& item) {
    const Box box = region_of(item.place, lone());
    const double least = item.size == Size::big ? 40 : 18;
    const double colour = colour_share(seen_, box, item.colour, least);
    const auto& map = seen_.of(item.colour);
    const Moments mass = moments(map, box);
    // Two bodies lie 16 px apart along one axis: that spreads the mass far beyond one body.
    const double spread = std::max(mass.xx, mass.yy);
    const double two = ramp(spread, 33, 45);
    const bool along_x = mass.xx > mass.yy;
    std::vector<Box> bodies = {box};
    if (two > 0.5) {
      bodies = {box, box};
      const int cut = static_cast<int>(std::lround(along_x ? mass.x : mass.y));
      (along_x ? bodies[0].right : bodies[0].bottom) = cut;
      (along_x ? bodies[1].left : bodies[1].top) = cut;
    }
    double shape = 0;
    double area = 0;
    for (const Box& part : bodies) {
      const Moments body = moments(map, part);
      shape += shape_score(body, item.shape) / static_cast<double>(bodies.size());
      area += body.mass / static_cast<double>(bodies.size());
    }
    // A triangle fills little of its square.
    const double border = item.shape == Shape::triangle ? 62 : 90;
    const double big = ramp(area, border * 0.85, border * 1.15);
    const double half = 0.3 + 0.7 * colour;
    add(Attribute::colour, colour, 2);
    add(Attribute::shape, shape * half);
    add(Attribute::size, (item.size == Size::big ? big : 1 - big) * half * ramp(area, 4, 12));
    add(Attribute::count, (item.count == 2 ? two : 1 - two) * half * ramp(area, 4, 12));
    if (lone()) add(Attribute::place, place_score(item, mass) * half);
  }

  void lettering(const Item& item) {
    const Box box = region_of(item.place, lone());
    const double colour = colour_share(seen_, box, item.colour, 50);
    const Moments mass = moments(seen_.of(item.colour), box);
    const double half = 0.3 + 0.7 * colour;
    add(Attribute::colour, colour, 2);
    const double likeness =
        spelling_likeness(item.word, seen_.of(item.colour), centre_of(item.place).y);
    // A misspelt word is like the right one by about 0.7, the right one by 0.8 to 0.98.
    add(Attribute::word, ramp(likeness, 0.62, 0.92) * half, 2);
    if (lone()) add(Attribute::place, place_score(item, mass) * half);
  }

  void person(const Item& item) {
    const Moments skin = moments(seen_.of(Coverage::kSkin), region_of(item.place, lone()));
    const double middle = centre_of(item.place).x;
    const int left = static_cast<int>(middle) - 8;
    // The trunk: below the head, above the trousers, without the arms.
    const Box trunk{left + 4, 12, left + 12, 21};
    const double colour = colour_share(seen_, trunk, item.colour, 30) * ramp(skin.mass, 10, 20);
    const double half = 0.3 + 0.7 * colour;
    add(Attribute::colour, colour, 2);
    const std::array raised = {arm_raised(item, left, left + 5),
                               arm_raised(item, left + 11, left + 16)};
    const double cheering = ramp(std::min(raised[0], raised[1]), 0.35, 0.65);
    const double waving = ramp(std::abs(raised[0] - raised[1]), 0.2, 0.5);
    const double standing = 1 - ramp(std::max(raised[0], raised[1]), 0.35, 0.65);
    add(Attribute::pose,
        (item.pose == Pose::standing ? standing
         : item.pose == Pose::waving ? waving
                                     : cheering) *
            half,
        1.5);
    if (lone()) add(Attribute::place, place_score(item, body_of(item)) * half);
  }

  // Share of an arm (sleeve and hand) that lies above the shoulder.
  double arm_raised(const Item& item, int left, int right) const {
    const auto cover = [&](int top, int bottom) {
      const Box box{left, top, right, bottom};
      return moments(seen_.of(item.colour), box).mass +
             moments(seen_.of(Coverage::kSkin), box).mass;
    };
    const double above = cover(0, 11);
    const double below = cover(14, 24);
    return above + below < 4 ? 0.0 : above / (above + below);
  }

  [[nodiscard]] Moments body_of(const Item& item) const {
    const Moments shirt = moments(seen_.of(item.colour), {});
    const Moments skin = moments(seen_.of(Coverage::kSkin), {});
    Moments body;
    body.mass = shirt.mass + skin.mass;
    if (body.mass <= 0) return body;
    body.x = (shirt.x * shirt.mass + skin.x * skin.mass) / body.mass;
    body.y = 16;
    return body;
  }

  const Scene& meant_;
  Coverage seen_;
  std::size_t index_ = 0;
  std::vector<Fit> fits_;
};

}  // namespace

std::vector<Fit> fits(const Scene& meant, const image::Rgb& picture) {
  return Eye(meant, picture).look();
}

double fit(const Scene& meant, const image::Rgb& picture) {
  double sum = 0;
  double weight = 0;
  for (const Fit& it : fits(meant, picture)) {
    sum += it.score * it.weight;
    weight += it.weight;
  }
  return weight > 0 ? sum / weight : 0;
}

}  // namespace evd::rehearsal
