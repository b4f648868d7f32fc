#pragma once

#include <string>
#include <vector>

#include "report_chart.hpp"

namespace evd::report {

/// The drawing area of a chart, in SVG units of one viewBox.
struct Frame {
  static constexpr double kWidth = 420;
  static constexpr double kHeight = 260;
  static constexpr double kLeft = 62;
  static constexpr double kRight = 14;
  static constexpr double kTop = 10;
  static constexpr double kBottom = 44;
};

/// A value range laid onto a range of SVG units.
struct Scale {
  double from = 0;
  double to = 1;
  double begin = 0;
  double end = 1;
  [[nodiscard]] double at(double value) const {
    return begin + (value - from) / (to - from) * (end - begin);
  }
};

/// About `count` round numbers between two values (1, 2 or 5 times a power of ten apart).
[[nodiscard]] std::vector<double> nice_ticks(double from, double to, int count);
[[nodiscard]] std::string tick_label(double value, Ticks ticks, double step);

/// A scale for all values of an axis: its own ends where given, else the values' with round ends.
[[nodiscard]] Scale scale_for(const Axis& axis, const std::vector<double>& values, double begin,
                              double end);

/// Grid lines, tick labels and axis titles.
[[nodiscard]] std::string y_axis(const Axis& axis, const Scale& scale);
[[nodiscard]] std::string x_axis(const Axis& axis, const Scale& scale);
[[nodiscard]] std::string x_title(const std::string& label);

/// A coordinate with one decimal.
[[nodiscard]] std::string unit(double value);

}  // namespace evd::report
