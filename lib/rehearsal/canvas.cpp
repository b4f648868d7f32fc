#include "rehearsal/canvas.hpp"

#include <algorithm>
#include <numbers>

#include <cairo.h>

#include "core/error.hpp"

namespace evd::rehearsal {

void Canvas::Close::operator()(_cairo* context) const { cairo_destroy(context); }
void Canvas::Close::operator()(_cairo_surface* surface) const { cairo_surface_destroy(surface); }

Canvas::Canvas(int width, int height)
    : width_px_(width),
      height_px_(height),
      unit_(std::min(width, height) / 32.0),
      surface_(cairo_image_surface_create(CAIRO_FORMAT_RGB24, width, height)),
      context_(cairo_create(surface_.get())) {
  if (cairo_status(context_.get()) != CAIRO_STATUS_SUCCESS)
    throw InternalError(std::string("cairo cannot draw: ") +
                        cairo_status_to_string(cairo_status(context_.get())));
  cairo_scale(context_.get(), unit_, unit_);
  cairo_select_font_face(context_.get(), "DejaVu Sans", CAIRO_FONT_SLANT_NORMAL,
                         CAIRO_FONT_WEIGHT_BOLD);
}

void Canvas::fill(const Paint& paint) {
  cairo_set_source_rgb(context_.get(), paint.red, paint.green, paint.blue);
  cairo_paint(context_.get());
}

void Canvas::disc(double x, double y, double radius) {
  cairo_new_sub_path(context_.get());
  cairo_arc(context_.get(), x, y, radius, 0, 2 * std::numbers::pi);
  cairo_close_path(context_.get());
}

void Canvas::rectangle(double x, double y, double width, double height) {
  cairo_rectangle(context_.get(), x - width / 2, y - height / 2, width, height);
}

void Canvas::triangle(double x, double y, double width, double height) {
  cairo_move_to(context_.get(), x, y - height / 2);
  cairo_line_to(context_.get(), x + width / 2, y + height / 2);
  cairo_line_to(context_.get(), x - width / 2, y + height / 2);
  cairo_close_path(context_.get());
}

void Canvas::stroke(double x0, double y0, double x1, double y1, double width, const Paint& paint) {
  cairo_set_source_rgb(context_.get(), paint.red, paint.green, paint.blue);
  cairo_set_line_cap(context_.get(), CAIRO_LINE_CAP_ROUND);
  cairo_set_line_width(context_.get(), width);
  cairo_move_to(context_.get(), x0, y0);
  cairo_line_to(context_.get(), x1, y1);
  cairo_stroke(context_.get());
}

void Canvas::word(const std::string& text, double x, double y, double width, double height) {
  // Hinting and the size cache would round the outlines: lay them out large, then scale the path.
  constexpr double kLayout = 200;
  cairo_t* context = context_.get();
  cairo_set_font_size(context, kLayout);
  cairo_text_extents_t extents;
  cairo_text_extents(context, text.c_str(), &extents);
  if (extents.width <= 0 || extents.height <= 0) return;
  cairo_save(context);
  cairo_translate(context, x - width / 2, y - height / 2);
  cairo_scale(context, width / extents.width, height / extents.height);
  cairo_move_to(context, -extents.x_bearing, -extents.y_bearing);
  cairo_text_path(context, text.c_str());
  cairo_restore(context);
}

void Canvas::paint(const Paint& paint, double alpha) {
  cairo_set_source_rgba(context_.get(), paint.red, paint.green, paint.blue, alpha);
  cairo_fill_preserve(context_.get());
}

void Canvas::shade(const Paint& from, const Paint& to, double x, double y, double width,
                   double height) {
  cairo_pattern_t* gradient =
      cairo_pattern_create_linear(x - width / 2, y - height / 2, x + width / 2, y + height / 2);
  cairo_pattern_add_color_stop_rgb(gradient, 0, from.red, from.green, from.blue);
  cairo_pattern_add_color_stop_rgb(gradient, 1, to.red, to.green, to.blue);
  cairo_set_source(context_.get(), gradient);
  cairo_pattern_destroy(gradient);
  cairo_fill_preserve(context_.get());
}

void Canvas::line(const Paint& paint, double width) {
  cairo_set_source_rgb(context_.get(), paint.red, paint.green, paint.blue);
  cairo_set_line_width(context_.get(), width);
  cairo_stroke_preserve(context_.get());
}

void Canvas::forget() { cairo_new_path(context_.get()); }

image::Rgb Canvas::pixels() const {
  cairo_surface_flush(surface_.get());
  const unsigned char* data = cairo_image_surface_get_data(surface_.get());
  const int stride = cairo_image_surface_get_stride(surface_.get());
  image::Rgb image{.width = width_px_, .height = height_px_};
  image.pixels.resize(std::size_t{3} * static_cast<std::size_t>(width_px_) *
                      static_cast<std::size_t>(height_px_));
  auto out = image.pixels.begin();
  for (int y = 0; y < height_px_; ++y) {
    const auto* row = reinterpret_cast<const std::uint32_t*>(data + std::ptrdiff_t{y} * stride);
    for (int x = 0; x < width_px_; ++x) {
      const std::uint32_t pixel = row[x];
      *out++ = static_cast<std::uint8_t>(pixel >> 16U);
      *out++ = static_cast<std::uint8_t>(pixel >> 8U);
      *out++ = static_cast<std::uint8_t>(pixel);
    }
  }
  return image;
}

}  // namespace evd::rehearsal
