#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "run/config.hpp"

namespace evd::hands {

/// Appends dated changes to DIR/config-history.jsonl, one line each; `round` = from when on.
void append_history(const std::filesystem::path& campaign, int round,
                    const std::vector<run::Change>& changes);

}  // namespace evd::hands
