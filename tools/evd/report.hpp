#pragma once

#include <filesystem>

#include "run/campaign.hpp"

namespace evd::report {

/// Writes DIR/report.html, one file that needs nothing else: rounds, curves, set, teachers, judge,
/// cost, gallery, lineage, configuration. What is not finished yet is left out, what is damaged is
/// named on the page. Returns its path. IoError when it cannot be written.
std::filesystem::path write_report(const run::Campaign& campaign);

}  // namespace evd::report
