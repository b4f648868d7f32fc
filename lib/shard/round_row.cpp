#include "shard/round_row.hpp"

namespace evd::shard {

Round round_row(const Manifest& manifest, std::string_view state) {
  const auto seconds = [&](const char* activity) {
    const auto found = manifest.seconds.find(activity);
    return found == manifest.seconds.end() ? 0.0 : found->second;
  };
  Round row;
  row.stage = {manifest.stage};
  row.round = manifest.round;
  row.attempt = manifest.attempt;
  row.state = {std::string(state)};
  row.wall_s = seconds("wall");
  row.cpu_s = seconds("cpu");
  row.gpu_s = seconds("gpu");
  row.launch_s = seconds("launch");
  row.drawing_s = seconds("drawing");
  row.judging_s = seconds("judging");
  row.training_s = seconds("training");
  row.rendering_s = seconds("rendering");
  for (const auto& file : manifest.files) row.bytes += file.bytes;
  row.files = static_cast<std::int32_t>(manifest.files.size());
  row.done = manifest.counts.done;
  row.refused = manifest.counts.refused;
  row.failed = manifest.counts.failed;
  row.open = manifest.counts.open;
  row.cost_microusd = manifest.cost_microusd;
  row.ambiguous_microusd = manifest.ambiguous_microusd;
  row.ranks = manifest.ranks;
  row.accepted_partial_by = manifest.accepted_partial_by;
  row.software = manifest.software;
  row.created_ms = manifest.created_ms;
  return row;
}

}  // namespace evd::shard
