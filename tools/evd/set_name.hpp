#pragma once

#include <string>

#include "run/campaign.hpp"

namespace evd::hands {

/// The stage that wrote the set called "3", "init" or "start" on the command line; UsageError.
[[nodiscard]] run::StageRef parse_set(const std::string& text);

}  // namespace evd::hands
