#include "report_chart.hpp"

#include <algorithm>

#include "core/text.hpp"
#include "report_html.hpp"
#include "report_scale.hpp"

namespace evd::report {
namespace {

std::string color(int index) { return format("var(--c%d)", index % 8); }

std::string legend(const std::vector<std::pair<std::string, int>>& entries) {
  std::string out = "<ul class=\"legend\">";
  for (const auto& [name, index] : entries)
    out += "<li><i style=\"background:" + color(index) + "\"></i>" + escape(name) + "</li>";
  return out + "</ul>";
}

std::string framed(const std::string& title, const std::string& subtitle,
                   const std::string& drawing, const std::string& legend_html) {
  return "<figure><figcaption><h3>" + escape(title) + "</h3>" +
         (subtitle.empty() ? "" : "<p>" + escape(subtitle) + "</p>") + "</figcaption>\n" +
         format("<svg viewBox=\"0 0 %.0f %.0f\" role=\"img\" aria-label=\"", Frame::kWidth,
                Frame::kHeight) +
         escape(title + (subtitle.empty() ? "" : ". " + subtitle)) + "\"><title>" + escape(title) +
         "</title>\n" + drawing + "</svg>\n" + legend_html + "</figure>\n";
}

bool is_drawn(const Point& point) { return std::isfinite(point.x) && std::isfinite(point.y); }

std::string curve_path(const Series& series, const Scale& x, const Scale& y) {
  std::string path;
  for (const Point& point : series.points)
    if (is_drawn(point))
      path += (path.empty() ? "M" : "L") + unit(x.at(point.x)) + " " + unit(y.at(point.y));
  return path;
}

std::string band_path(const Series& series, const Scale& x, const Scale& y) {
  std::string upper;
  std::string lower;
  for (const Point& point : series.points) {
    if (!is_drawn(point) || !std::isfinite(point.low) || !std::isfinite(point.high)) continue;
    const std::string at = unit(x.at(point.x)) + " ";
    upper += (upper.empty() ? "M" : "L") + at + unit(y.at(point.high));
    lower.insert(0, "L" + at + unit(y.at(point.low)));
  }
  return upper.empty() ? "" : upper + lower + "Z";
}

std::string point_title(const Series& series, const Point& point, const LineChart& chart) {
  std::string text =
      series.name + ", " + chart.x.label + " " + tick_label(point.x, chart.x.ticks, 1) + ": ";
  if (chart.y.ticks == Ticks::percent) {
    text += percent(point.y);
    if (std::isfinite(point.low))
      text += " (" + percent(point.low) + " to " + percent(point.high) + ")";
  } else {
    text += format("%.4g", point.y);
    if (std::isfinite(point.low)) text += format(" (%.4g to %.4g)", point.low, point.high);
  }
  return text;
}

std::string path_class(Look look) {
  switch (look) {
    case Look::faint:
      return "faint";
    case Look::level:
      return "level";
    default:
      return "curve";
  }
}

std::string drawn(const Series& series, const LineChart& chart, const Scale& x, const Scale& y) {
  const std::string stroke = "\" stroke=\"" + color(series.color) + "\"/>";
  std::string out;
  if (const auto band = band_path(series, x, y); !band.empty())
    out += "<path class=\"band\" fill=\"" + color(series.color) + "\" d=\"" + band + "\"/>";
  out += "<path class=\"" + path_class(series.look) + "\" d=\"" + curve_path(series, x, y) + stroke;
  if (series.look != Look::curve) return out + "\n";
  for (const Point& point : series.points)
    if (is_drawn(point))
      out += "<circle r=\"3.5\" cx=\"" + unit(x.at(point.x)) + "\" cy=\"" + unit(y.at(point.y)) +
             "\" fill=\"" + color(series.color) + "\"><title>" +
             escape(point_title(series, point, chart)) + "</title></circle>";
  return out + "\n";
}

struct Values {
  std::vector<double> x;
  std::vector<double> y;
};

Values values_of(const LineChart& chart) {
  Values values;
  for (const Series& series : chart.series)
    for (const Point& point : series.points) {
      if (!is_drawn(point)) continue;
      values.x.push_back(point.x);
      values.y.push_back(point.y);
      if (std::isfinite(point.low)) values.y.push_back(point.low);
      if (std::isfinite(point.high)) values.y.push_back(point.high);
    }
  return values;
}

}  // namespace

std::string figure(const LineChart& chart) {
  const Values values = values_of(chart);
  if (values.x.empty()) return "";
  // Rounds are few: their first and last dots keep clear of the frame.
  const double inset = chart.x.ticks == Ticks::rounds ? 14 : 0;
  const Scale x = scale_for({chart.x.label, Ticks::rounds, chart.x.min, chart.x.max}, values.x,
                            Frame::kLeft + inset, Frame::kWidth - Frame::kRight - inset);
  const Scale y = scale_for(chart.y, values.y, Frame::kHeight - Frame::kBottom, Frame::kTop);
  std::string drawing = y_axis(chart.y, y) + x_axis(chart.x, x);
  std::vector<std::pair<std::string, int>> entries;
  for (const Series& series : chart.series) {
    drawing += drawn(series, chart, x, y);
    if (series.look != Look::faint) entries.emplace_back(series.name, series.color);
  }
  const bool explains = entries.size() > 1;  // the title names a lone line
  return framed(chart.title, chart.subtitle, drawing, explains ? legend(entries) : "");
}

std::string figure(const BarChart& chart) {
  if (chart.groups.empty() || chart.layers.empty()) return "";
  std::vector<double> tops(chart.groups.size(), 0.0);
  for (const Layer& layer : chart.layers)
    for (std::size_t i = 0; i < tops.size(); ++i) tops[i] += layer.values[i];
  Axis axis = chart.y;
  axis.min = 0;
  const double base = Frame::kHeight - Frame::kBottom;
  const Scale y = scale_for(axis, tops, base, Frame::kTop);
  std::string drawing = y_axis(axis, y);

  const double slot =
      (Frame::kWidth - Frame::kLeft - Frame::kRight) / static_cast<double>(tops.size());
  const double width = std::min(46.0, slot * 0.68);
  const std::size_t every = 1 + tops.size() / 15;  // labels that fit
  for (std::size_t i = 0; i < tops.size(); ++i) {
    const double middle = Frame::kLeft + slot * (static_cast<double>(i) + 0.5);
    double below = 0;
    for (const Layer& layer : chart.layers) {
      const double value = layer.values[i];
      if (!(value > 0)) continue;
      const double top = y.at(below + value);
      drawing += "<rect x=\"" + unit(middle - width / 2) + "\" y=\"" + unit(top) + "\" width=\"" +
                 unit(width) + "\" height=\"" + unit(y.at(below) - top) + "\" fill=\"" +
                 color(layer.color) + "\"><title>" +
                 escape(chart.x_label + " " + chart.groups[i] + ", " + layer.name + ": " +
                        tick_label(value, chart.y.ticks, 0.001)) +
                 "</title></rect>";
      below += value;
    }
    if (i % every == 0)
      drawing += "<text text-anchor=\"middle\" x=\"" + unit(middle) + "\" y=\"" + unit(base + 17) +
                 "\">" + escape(chart.groups[i]) + "</text>\n";
  }
  std::vector<std::pair<std::string, int>> entries;
  for (const Layer& layer : chart.layers) entries.emplace_back(layer.name, layer.color);
  return framed(chart.title, chart.subtitle, drawing + x_title(chart.x_label), legend(entries));
}

std::vector<Point> thinned(const std::vector<Point>& points, std::size_t count) {
  if (points.size() <= count) return points;
  std::vector<Point> out;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t begin = i * points.size() / count;
    const std::size_t end = (i + 1) * points.size() / count;
    Point mean;
    for (std::size_t k = begin; k < end; ++k) {
      mean.x += points[k].x / static_cast<double>(end - begin);
      mean.y += points[k].y / static_cast<double>(end - begin);
    }
    out.push_back(mean);
  }
  return out;
}

std::vector<Point> smoothed(const std::vector<Point>& points, double window) {
  const double keep = std::exp(-1 / std::max(1.0, window));
  std::vector<Point> out;
  double sum = 0;
  double weight = 0;
  for (const Point& point : points) {
    sum = keep * sum + point.y;
    weight = keep * weight + 1;  // so that the first points are not pulled to zero
    out.push_back({point.x, sum / weight});
  }
  return out;
}

}  // namespace evd::report
