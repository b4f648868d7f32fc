#pragma once

#include <string>

#include "report_chart.hpp"
#include "report_data.hpp"
#include "report_pictures.hpp"

namespace evd::report {

/// Metrics by round as points with intervals.
[[nodiscard]] std::vector<Point> points_of(const std::vector<shard::Metric>& rows);

/// The parts of the page, each as HTML; empty text where there is nothing to show yet.
[[nodiscard]] std::string headline(const Source& source, const Data& data);
[[nodiscard]] std::string rounds_section(const Source& source, const Data& data);
[[nodiscard]] std::string learning_section(const Data& data);
[[nodiscard]] std::string set_section(const Data& data);
[[nodiscard]] std::string teachers_section(const Data& data);
[[nodiscard]] std::string judge_section(const Data& data);
[[nodiscard]] std::string cost_section(const Source& source, const Data& data);
[[nodiscard]] std::string gallery_section(Source& source, const Data& data, PictureBook& pictures);
[[nodiscard]] std::string lineage_section(const Data& data, PictureBook& pictures);
[[nodiscard]] std::string configuration_section(const Source& source, const Data& data);

}  // namespace evd::report
