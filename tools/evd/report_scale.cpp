#include "report_scale.hpp"

#include <algorithm>
#include <cmath>

#include "core/text.hpp"
#include "report_html.hpp"

namespace evd::report {
namespace {

double nice_step(double span, int count) {
  const double rough = span / std::max(1, count);
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  for (const double factor : {1.0, 2.0, 5.0})
    if (factor * power >= rough) return factor * power;
  return 10 * power;
}

std::string plain_number(double value, double step) {
  const double size = std::abs(value);
  if (size >= 1e6) return format("%g M", value / 1e6);
  if (size >= 1e4) return format("%g k", value / 1e3);
  const int decimals = step >= 1 ? 0 : std::min(4, static_cast<int>(std::ceil(-std::log10(step))));
  return format("%.*f", decimals, value);
}

std::vector<double> ticks_of(const Axis& axis, const Scale& scale, int count) {
  auto ticks = nice_ticks(scale.from, scale.to, count);
  if (axis.ticks == Ticks::rounds)  // whole rounds only
    std::erase_if(ticks, [](double tick) { return tick != std::round(tick); });
  return ticks;
}

}  // namespace

std::vector<double> nice_ticks(double from, double to, int count) {
  const double step = nice_step(to - from, count);
  std::vector<double> ticks;
  for (double i = std::ceil(from / step - 1e-9); i * step <= to + step * 1e-9; ++i)
    ticks.push_back(i * step + 0.0);  // never -0
  return ticks;
}

std::string tick_label(double value, Ticks ticks, double step) {
  switch (ticks) {
    case Ticks::rounds:
      return round_label(static_cast<int>(std::lround(value)));
    case Ticks::percent:
      return format("%.0f %%", 100 * value);
    case Ticks::usd:
      return "$" + plain_number(value, step);
    case Ticks::number:
      break;
  }
  return plain_number(value, step);
}

Scale scale_for(const Axis& axis, const std::vector<double>& values, double begin, double end) {
  double from = axis.min.value_or(*std::min_element(values.begin(), values.end()));
  double to = axis.max.value_or(*std::max_element(values.begin(), values.end()));
  if (axis.ticks == Ticks::rounds) return {from, to > from ? to : from + 1, begin, end};
  if (!(to > from)) {
    to = axis.max.value_or(from + (from == 0 ? 1 : std::abs(from) * 0.1));
    if (!(to > from)) from = to - 1;
  }
  const double step = nice_step(to - from, 6);
  if (!axis.min) from = std::floor(from / step) * step;
  if (!axis.max) to = std::ceil(to / step - 1e-9) * step;
  return {from, to, begin, end};
}

std::string unit(double value) { return format("%.1f", value); }

std::string y_axis(const Axis& axis, const Scale& scale) {
  const auto ticks = ticks_of(axis, scale, 6);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  std::string out;
  for (const double tick : ticks) {
    const std::string y = unit(scale.at(tick));
    out += "<line class=\"grid\" x1=\"" + unit(Frame::kLeft) + "\" x2=\"" +
           unit(Frame::kWidth - Frame::kRight) + "\" y1=\"" + y + "\" y2=\"" + y + "\"/>";
    out += "<text text-anchor=\"end\" x=\"" + unit(Frame::kLeft - 7) + "\" y=\"" +
           unit(scale.at(tick) + 4) + "\">" + tick_label(tick, axis.ticks, step) + "</text>";
  }
  const double middle = (Frame::kTop + Frame::kHeight - Frame::kBottom) / 2;
  return out + "<text text-anchor=\"middle\" transform=\"rotate(-90)\" x=\"" + unit(-middle) +
         "\" y=\"13\">" + escape(axis.label) + "</text>\n";
}

std::string x_title(const std::string& label) {
  return "<text text-anchor=\"middle\" x=\"" +
         unit((Frame::kLeft + Frame::kWidth - Frame::kRight) / 2) + "\" y=\"" +
         unit(Frame::kHeight - 6) + "\">" + escape(label) + "</text>\n";
}

std::string x_axis(const Axis& axis, const Scale& scale) {
  const double base = Frame::kHeight - Frame::kBottom;
  std::string out = "<line class=\"axis\" x1=\"" + unit(Frame::kLeft) + "\" x2=\"" +
                    unit(Frame::kWidth - Frame::kRight) + "\" y1=\"" + unit(base) + "\" y2=\"" +
                    unit(base) + "\"/>";
  const auto ticks = ticks_of(axis, scale, 7);
  const double step = ticks.size() > 1 ? ticks[1] - ticks[0] : 1;
  for (const double tick : ticks)
    out += "<text text-anchor=\"middle\" x=\"" + unit(scale.at(tick)) + "\" y=\"" +
           unit(base + 17) + "\">" + tick_label(tick, axis.ticks, step) + "</text>";
  return out + x_title(axis.label);
}

}  // namespace evd::report
