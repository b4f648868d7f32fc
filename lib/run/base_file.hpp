#pragma once

#include <filesystem>

#include "run/campaign.hpp"

namespace evd::run {

/// The start weights of base.init = file, compared with base.sha256. DataError, with what to type,
/// when they are others; IoError when they cannot be read.
[[nodiscard]] std::filesystem::path base_file(const Campaign& campaign, const Config& config);

}  // namespace evd::run
