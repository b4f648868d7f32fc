#include "report_pictures.hpp"

#include <algorithm>

#include "core/base64.hpp"
#include "image/image.hpp"
#include "report_html.hpp"

namespace evd::report {
namespace {

constexpr int kPixelArtSide = 64;  // smaller pictures are shown as their pixels

image::Rgb small(image::Rgb picture) {
  const int side = std::max(picture.width, picture.height);
  if (side <= PictureBook::kMaxSidePx) return picture;
  const auto scaled = [&](int length) {
    return std::max(1, length * PictureBook::kMaxSidePx / side);
  };
  return image::resize_cover(picture, scaled(picture.width), scaled(picture.height));
}

}  // namespace

std::string PictureBook::none(const std::string& why) {
  return "<span class=\"none\" title=\"" + escape(why) + "\">–</span>";
}

std::string PictureBook::encoded(const shard::ImageLocation& where) {
  const image::Rgb picture = image::decode(source_.catalog().bytes(where));
  const auto png = image::encode_png(small(picture));
  const std::string text = base64(png);
  if (bytes_ + text.size() > kMaxBytes) return "";
  bytes_ += text.size();
  const char* look = std::max(picture.width, picture.height) <= kPixelArtSide ? "pixels" : "smooth";
  return "class=\"" + std::string(look) + "\" src=\"data:image/png;base64," + text + "\"";
}

std::string PictureBook::img(const shard::ImageLocation& where, const std::string& alt) {
  if (where.row < 0 || where.shard.is_none()) return none("no picture");
  try {
    const std::string picture = encoded(where);
    if (picture.empty()) return none("left out: the page would become too large");
    return "<img alt=\"" + escape(alt) + "\" " + picture + ">";
  } catch (const Error& error) {
    source_.note_problem(error.what());
    return none("damaged");
  }
}

}  // namespace evd::report
