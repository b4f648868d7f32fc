#pragma once

#include <memory>
#include <string>

#include "image/image.hpp"

struct _cairo;
struct _cairo_surface;

namespace evd::rehearsal {

struct Paint {
  double red = 0;
  double green = 0;
  double blue = 0;
};

/// A cairo surface whose unit is 1/32 of the shorter side, origin at the top left.
class Canvas {
 public:
  /// InternalError when cairo refuses.
  Canvas(int width, int height);

  /// Sides of the picture in units: 32 for the shorter one.
  [[nodiscard]] double width() const { return width_px_ / unit_; }
  [[nodiscard]] double height() const { return height_px_ / unit_; }

  void fill(const Paint& paint);
  void disc(double x, double y, double radius);
  void rectangle(double x, double y, double width, double height);
  void triangle(double x, double y, double width, double height);
  /// A thick line with round ends, as an outline that can be filled like any other form.
  void stroke(double x0, double y0, double x1, double y1, double width, const Paint& paint);
  /// The outlines of a word in DejaVu Sans Bold, stretched to exactly this box.
  void word(const std::string& text, double x, double y, double width, double height);

  /// Fills what was outlined last and keeps it for `line`.
  void paint(const Paint& paint, double alpha = 1);
  /// Fills with a gradient from `from` (top left) to `to` (bottom right) over this box.
  void shade(const Paint& from, const Paint& to, double x, double y, double width, double height);
  void line(const Paint& paint, double width);
  void forget();

  [[nodiscard]] image::Rgb pixels() const;

 private:
  struct Close {
    void operator()(_cairo* context) const;
    void operator()(_cairo_surface* surface) const;
  };
  int width_px_;
  int height_px_;
  double unit_;
  std::unique_ptr<_cairo_surface, Close> surface_;
  std::unique_ptr<_cairo, Close> context_;
};

}  // namespace evd::rehearsal
