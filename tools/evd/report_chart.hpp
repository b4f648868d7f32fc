#pragma once

#include <cmath>
#include <optional>
#include <string>
#include <vector>

namespace evd::report {

/// Charts as inline SVG, without scripts: a figure with title, subtitle, drawing and legend. Titles
/// and names are plain text.
struct Point {
  double x = 0;
  double y = 0;
  double low = std::nan("");   ///< lower end of the interval; NaN = none
  double high = std::nan("");  ///< upper end
};

enum class Look {
  curve,  ///< a line, a dot on each point, a band where there are intervals
  faint,  ///< a thin line behind the others, left out of the legend
  plain,  ///< a line alone
  level   ///< a thin dashed line: something to compare with
};

struct Series {
  std::string name;
  int color = 0;  ///< 0..7, a colour of the style sheet
  std::vector<Point> points;
  Look look = Look::curve;
};

enum class Ticks { number, rounds, percent, usd };

struct Axis {
  std::string label;  ///< with its unit
  Ticks ticks = Ticks::number;
  std::optional<double> min{};  ///< from the points when empty
  std::optional<double> max{};
};

struct LineChart {
  std::string title;
  std::string subtitle;
  Axis x;
  Axis y;
  std::vector<Series> series;
};
/// Empty text when there is no finite point.
[[nodiscard]] std::string figure(const LineChart& chart);

/// Bars side by side, one a group, made of layers from below.
struct Layer {
  std::string name;
  int color = 0;
  std::vector<double> values;  ///< one a group
};
struct BarChart {
  std::string title;
  std::string subtitle;
  std::string x_label;
  Axis y;
  std::vector<std::string> groups;
  std::vector<Layer> layers;
};
/// Empty text when there is no group or no layer.
[[nodiscard]] std::string figure(const BarChart& chart);

/// Mean of equal runs of points, so that a long curve has at most `count` of them.
[[nodiscard]] std::vector<Point> thinned(const std::vector<Point>& points, std::size_t count);
/// Exponential moving average with a window of `points` points, started at the first.
[[nodiscard]] std::vector<Point> smoothed(const std::vector<Point>& points, double window);

}  // namespace evd::report
