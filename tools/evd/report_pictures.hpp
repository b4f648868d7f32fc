#pragma once

#include <cstddef>
#include <string>

#include "report_source.hpp"

namespace evd::report {

/// Pictures of the campaign as `<img>` elements that carry their bytes, made small. The book closes
/// when the page would become too large; what is missing then, or damaged, is an empty frame.
class PictureBook {
 public:
  static constexpr int kMaxSidePx = 96;
  static constexpr std::size_t kMaxBytes = 12U << 20;

  explicit PictureBook(Source& source) : source_(source) {}

  /// `alt` is plain text.
  [[nodiscard]] std::string img(const shard::ImageLocation& where, const std::string& alt);
  /// An empty frame with a reason to read.
  [[nodiscard]] static std::string none(const std::string& why);

 private:
  [[nodiscard]] std::string encoded(const shard::ImageLocation& where);

  Source& source_;
  std::size_t bytes_ = 0;
};

}  // namespace evd::report
