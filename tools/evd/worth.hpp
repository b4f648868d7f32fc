#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

#include "core/text.hpp"
#include "shard/manifest.hpp"

namespace evd::hands {

/// What stages had that would be made again.
struct Worth {
  std::size_t stages = 0;
  std::int64_t answers = 0;  ///< of services; steps and renders cost time alone
  std::int64_t microusd = 0;

  void add(const std::optional<shard::Manifest>& manifest) {
    ++stages;
    if (!manifest) return;
    if (manifest->stage != "train" && manifest->stage != "evaluate") {
      answers += manifest->counts.done + manifest->counts.refused;
    }
    microusd += manifest->cost_microusd;
  }
  /// "46 answers for $1.23".
  [[nodiscard]] std::string text() const {
    return std::to_string(answers) + " answers for " + human_usd(microusd);
  }
};

}  // namespace evd::hands
