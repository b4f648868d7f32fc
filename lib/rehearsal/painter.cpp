#include "rehearsal/painter.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "rehearsal/canvas.hpp"

namespace evd::rehearsal {
namespace {

constexpr double kBigSide = 14;
constexpr double kSmallSide = 8;
constexpr Paint kBackground = {0.94, 0.94, 0.93};
constexpr Paint kSkin = {0.87, 0.67, 0.52};
constexpr Paint kTrousers = {0.45, 0.46, 0.50};

Paint paint_of(Colour colour) {
  switch (colour) {
    case Colour::red:
      return {0.86, 0.12, 0.13};
    case Colour::green:
      return {0.10, 0.62, 0.22};
    case Colour::blue:
      return {0.12, 0.32, 0.88};
    case Colour::yellow:
      return {0.96, 0.80, 0.08};
    case Colour::purple:
      return {0.62, 0.15, 0.72};
    case Colour::black:
      return {0.08, 0.08, 0.09};
  }
  throw InternalError("a colour that is none");
}

Paint mixed(const Paint& a, const Paint& b, double share) {
  const auto mix = [share](double from, double to) { return from + (to - from) * share; };
  return {mix(a.red, b.red), mix(a.green, b.green), mix(a.blue, b.blue)};
}

// One picture in the making.
class Hand {
 public:
  Hand(int width, int height, const Brush& brush, Random random)
      : canvas_(width, height), brush_(brush), random_(random) {
    canvas_.fill(varied(kBackground, brush_.tint));
  }

  void draw(const Scene& scene) {
    for (const Item& item : scene.items) {
      switch (item.kind) {
        case Kind::group:
          group(item);
          break;
        case Kind::lettering:
          lettering(item);
          break;
        case Kind::person:
          person(item);
          break;
      }
    }
  }

  [[nodiscard]] image::Rgb pixels() const { return canvas_.pixels(); }

 private:
  struct Point {
    double x;
    double y;
  };

  // Centre of a cell, in quarters of the picture, moved by the hand's wobble.
  Point at(double column, double row) {
    return {canvas_.width() * column / 4 + random_.normal() * brush_.wobble,
            canvas_.height() * row / 4 + random_.normal() * brush_.wobble};
  }
  double sized(double size) {
    return size * std::clamp(1 + random_.normal() * brush_.size_spread, 0.8, 1.2);
  }
  Paint varied(const Paint& paint, double spread) {
    const auto moved = [&](double channel) {
      return std::clamp(channel + spread * random_.normal(), 0.0, 1.0);
    };
    return {moved(paint.red), moved(paint.green), moved(paint.blue)};
  }
  Paint coloured(Colour colour) { return varied(paint_of(colour), brush_.shade_spread); }

  static std::array<Point, 2> cells(Place place, int count) {
    const bool two = count == 2;
    switch (place) {
      case Place::middle:
        return two ? std::array{Point{1, 2}, Point{3, 2}} : std::array{Point{2, 2}, Point{}};
      case Place::left:
        return two ? std::array{Point{1, 1}, Point{1, 3}} : std::array{Point{1, 2}, Point{}};
      case Place::right:
        return two ? std::array{Point{3, 1}, Point{3, 3}} : std::array{Point{3, 2}, Point{}};
      case Place::top:
        return two ? std::array{Point{1, 1}, Point{3, 1}} : std::array{Point{2, 1}, Point{}};
      case Place::bottom:
        return two ? std::array{Point{1, 3}, Point{3, 3}} : std::array{Point{2, 3}, Point{}};
    }
    throw InternalError("a place that is none");
  }

  void group(const Item& item) {
    const auto where = cells(item.place, item.count);
    const Paint paint = coloured(item.colour);
    for (int i = 0; i < item.count; ++i) {
      const Point cell = where.at(static_cast<std::size_t>(i));
      const Point centre = at(cell.x, cell.y);
      const double side = sized(item.size == Size::big ? kBigSide : kSmallSide);
      if (brush_.shadow > 0) {
        form(item.shape, {centre.x + 0.5, centre.y + 0.7}, side);
        canvas_.paint({0.3, 0.3, 0.35}, brush_.shadow);
        canvas_.forget();
      }
      form(item.shape, centre, side);
      finish(paint, centre, side, side);
    }
  }

  void form(Shape shape, Point centre, double side) {
    // Equal side lengths look unequal: a square is made a little smaller, a triangle wider.
    switch (shape) {
      case Shape::circle:
        canvas_.disc(centre.x, centre.y, side / 2);
        break;
      case Shape::square:
        canvas_.rectangle(centre.x, centre.y, side * 0.95, side * 0.95);
        break;
      case Shape::triangle:
        canvas_.triangle(centre.x, centre.y, side * 1.08, side);
        break;
    }
  }

  // Fills the outlined form as this hand does, and ends it.
  void finish(const Paint& paint, Point centre, double width, double height) {
    if (brush_.highlight > 0) {
      // Black stays black: light falls on it in vain.
      const double light =
          brush_.highlight * (0.3 + 0.7 * std::max({paint.red, paint.green, paint.blue}));
      canvas_.shade(mixed(paint, {1, 1, 1}, light), mixed(paint, {0, 0, 0}, brush_.highlight / 2),
                    centre.x, centre.y, width, height);
    } else {
      canvas_.paint(paint);
    }
    if (brush_.outline > 0) canvas_.line(mixed(paint, {0, 0, 0}, 0.3), brush_.outline);
    canvas_.forget();
  }

  void lettering(const Item& item) {
    const double row = item.place == Place::top ? 1 : item.place == Place::bottom ? 3 : 2;
    const Point centre = at(2, row);
    const double letters = static_cast<double>(item.word.size());
    // Letters of about 7.5 units; short words do not fill the width.
    const double width = std::min(30.0, sized(7.5 * letters + 2));
    const double height = std::min(14.0, sized(12.5));
    canvas_.word(item.word, centre.x, centre.y, width, height);
    finish(coloured(item.colour), centre, width, height);
  }

  void person(const Item& item) {
    const double column = item.place == Place::left ? 1 : item.place == Place::right ? 3 : 2;
    const Point c = at(column, 2);
    const double s = sized(1);
    const auto x = [&](double dx) { return c.x + s * dx; };
    const auto y = [&](double dy) { return c.y + s * dy; };
    const Paint shirt = coloured(item.colour);
    const Paint skin = varied(kSkin, brush_.shade_spread);
    const Paint trousers = varied(kTrousers, brush_.shade_spread);
    for (const double side : {-1.0, 1.0}) {
      canvas_.stroke(x(side * 2.2), y(5), x(side * 2.6), y(13), s * 3.4, trousers);
      const bool raised = item.pose == Pose::cheering || (item.pose == Pose::waving && side > 0);
      const double hand_x = side * 6.2;
      const double hand_y = raised ? -11.5 : 4.5;
      canvas_.stroke(x(side * 3.6), y(-3.6), x(hand_x), y(hand_y), s * 3.2, shirt);
      canvas_.disc(x(hand_x), y(hand_y), s * 1.6);
      finish(skin, {x(hand_x), y(hand_y)}, 3, 3);
    }
    canvas_.rectangle(x(0), y(0.5), s * 8.6, s * 11);
    finish(shirt, {x(0), y(0.5)}, s * 8.6, s * 11);
    canvas_.disc(x(0), y(-9.4), s * 4);
    finish(skin, {x(0), y(-9.4)}, s * 8, s * 8);
  }

  Canvas canvas_;
  Brush brush_;
  Random random_;
};

}  // namespace

image::Rgb paint(const Scene& scene, int width, int height, const Brush& brush, Random random) {
  if (!is_valid(scene)) throw InternalError("a picture was wanted of an impossible scene");
  Hand hand(width, height, brush, random);
  hand.draw(scene);
  return hand.pixels();
}

image::Rgb paint_blots(int width, int height, Random random) {
  Canvas canvas(width, height);
  canvas.fill(kBackground);
  for (int i = 0; i < 9; ++i) {
    const Paint paint{random.uniform(), random.uniform(), random.uniform()};
    canvas.disc(canvas.width() * random.uniform(), canvas.height() * random.uniform(),
                2 + 5 * random.uniform());
    canvas.paint(paint, 0.5);
    canvas.forget();
  }
  return canvas.pixels();
}

}  // namespace evd::rehearsal
