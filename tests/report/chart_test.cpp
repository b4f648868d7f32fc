#include <gtest/gtest.h>

#include "report_chart.hpp"
#include "report_html.hpp"
#include "report_scale.hpp"

namespace evd::report {
namespace {

std::size_t count(const std::string& text, const std::string& piece) {
  std::size_t found = 0;
  for (auto at = text.find(piece); at != std::string::npos; at = text.find(piece, at + 1)) ++found;
  return found;
}

TEST(Chart, NiceTicksAreRoundAndInside) {
  const auto fifths = nice_ticks(0, 1, 5);
  ASSERT_EQ(fifths.size(), 6U);
  for (int i = 0; i < 6; ++i) EXPECT_NEAR(fifths[static_cast<std::size_t>(i)], 0.2 * i, 1e-12);
  EXPECT_FALSE(std::signbit(fifths[0]));  // no "-0"
  EXPECT_EQ(nice_ticks(0, 730, 4), (std::vector<double>{0, 200, 400, 600}));
  EXPECT_EQ(nice_ticks(-1, 3, 7), (std::vector<double>{-1, 0, 1, 2, 3}));
}

TEST(Chart, LabelsSayWhatTheyCount) {
  EXPECT_EQ(tick_label(-1, Ticks::rounds, 1), "start");
  EXPECT_EQ(tick_label(0.25, Ticks::percent, 0.05), "25 %");
  EXPECT_EQ(tick_label(1.5, Ticks::usd, 0.5), "$1.5");
  EXPECT_EQ(tick_label(20000, Ticks::number, 5000), "20 k");
}

TEST(Chart, DrawsACurveWithBandDotsAndLegend) {
  LineChart chart{"A & B", "sub", {"round", Ticks::rounds}, {"share", Ticks::percent, 0.0}, {}};
  chart.series.push_back({"first <one>", 0, {{-1, 0.1, 0.05, 0.2}, {0, 0.4, 0.3, 0.5}}});
  chart.series.push_back({"second", 1, {{-1, 0.2}, {0, std::nan("")}}});
  const std::string svg = figure(chart);
  EXPECT_EQ(count(svg, "<svg"), 1U);
  EXPECT_EQ(count(svg, "class=\"band\""), 1U);  // only the first has intervals
  EXPECT_EQ(count(svg, "<circle"), 3U);         // not the point without a value
  EXPECT_NE(svg.find("A &amp; B"), std::string::npos);
  EXPECT_NE(svg.find("first &lt;one&gt;, round start: 10.0 % (5.0 % to 20.0 %)"),
            std::string::npos);
  EXPECT_EQ(svg.find("nan"), std::string::npos);
}

TEST(Chart, OnePointOrConstantValuesStillHaveAScale) {
  for (const auto& points : {std::vector<Point>{{0, 0}}, {{0, 5}, {1, 5}}, {{3, -2}}}) {
    const std::string svg = figure(LineChart{"t", "", {"x"}, {"y"}, {{"s", 0, points}}});
    EXPECT_EQ(svg.find("nan"), std::string::npos);
    EXPECT_EQ(svg.find("inf"), std::string::npos);
    EXPECT_EQ(count(svg, "<circle"), points.size());
  }
}

TEST(Chart, NothingToShowIsNothing) {
  EXPECT_EQ(figure(LineChart{"t", "", {"x"}, {"y"}, {}}), "");
  EXPECT_EQ(figure(LineChart{"t", "", {"x"}, {"y"}, {{"s", 0, {{0, std::nan("")}}}}}), "");
  EXPECT_EQ(figure(BarChart{"t", "", "x", {"y"}, {}, {}}), "");
}

TEST(Chart, BarsStackToTheirSum) {
  BarChart chart;
  chart.x_label = "round";
  chart.groups = {"0", "1"};
  chart.layers = {{"a", 0, {10, 0}}, {"b", 1, {30, 20}}};
  const std::string svg = figure(chart);
  EXPECT_EQ(count(svg, "<rect"), 3U);  // no bar for the zero
  EXPECT_NE(svg.find("round 0, b: 30"), std::string::npos);
}

TEST(Chart, ThinningKeepsTheMean) {
  std::vector<Point> points;
  for (int i = 0; i < 1000; ++i) points.push_back({static_cast<double>(i), i % 2 ? 1.0 : 3.0});
  const auto thin = thinned(points, 10);
  ASSERT_EQ(thin.size(), 10U);
  for (const auto& point : thin) EXPECT_DOUBLE_EQ(point.y, 2.0);
  EXPECT_EQ(thinned(points, 5000).size(), 1000U);
}

TEST(Chart, SmoothingStartsAtTheFirstValue) {
  const auto smooth = smoothed({{0, 4}, {1, 4}, {2, 4}}, 50);
  for (const auto& point : smooth) EXPECT_DOUBLE_EQ(point.y, 4.0);
}

TEST(Html, EscapesEverythingThatMarksUp) {
  EXPECT_EQ(escape("<a href=\"x\">&'\x01"), "&lt;a href=&quot;x&quot;&gt;&amp;&#39; ");
  EXPECT_EQ(escape("ünï 🎈"), "ünï 🎈");
}

TEST(Html, ShortensByCodePoints) {
  EXPECT_EQ(shortened("🎈🎈🎈", 2), "🎈🎈…");
  EXPECT_EQ(shortened("abc", 3), "abc");
}

TEST(Html, GroupsDigits) {
  EXPECT_EQ(grouped(0), "0");
  EXPECT_EQ(grouped(1234567), "1,234,567");
  EXPECT_EQ(grouped(-1000), "−1,000");
}

}  // namespace
}  // namespace evd::report
