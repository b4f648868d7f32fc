#pragma once

#include <string_view>

#include "shard/manifest.hpp"
#include "shard/rows.hpp"

namespace evd::shard {

/// One result of a stage. The only table that stands in no HDF5 file: it is made of the
/// manifests.
struct Round {
  Name stage;
  std::int32_t round = 0;
  std::int32_t attempt = 0;
  Name state;
  double wall_s = 0;
  double cpu_s = 0;
  double gpu_s = 0;
  double launch_s = 0;
  double drawing_s = 0;
  double judging_s = 0;
  double training_s = 0;
  double rendering_s = 0;
  std::int64_t bytes = 0;
  std::int32_t files = 0;
  std::int64_t done = 0;
  std::int64_t refused = 0;
  std::int64_t failed = 0;
  std::int64_t open = 0;
  std::int64_t cost_microusd = 0;
  std::int64_t ambiguous_microusd = 0;
  std::int32_t ranks = 0;
  std::string accepted_partial_by;
  std::string software;
  std::int64_t created_ms = 0;

  template <class V>
  void columns(V& v) {
    v("stage", stage, {"", "init, harvest, judge, train, evaluate, score"});
    v("round", round, {"round", "-1 = start weights"});
    v("attempt", attempt, {"", "from 1; a rerun counts on"});
    v("state", state, {"", "done; stale = an input was redone since; retired = set aside"});
    v("wall_s", wall_s, {"s", "rank 0, from its start to publication"});
    v("cpu_s", cpu_s, {"s", "processor time of all ranks"});
    v("gpu_s", gpu_s, {"s", "device time of all ranks; 0 = no device was used"});
    v("launch_s", launch_s, {"s", "from the launcher's start to a running MPI"});
    v("drawing_s", drawing_s, {"s", "wall time in which teachers drew"});
    v("judging_s", judging_s, {"s", "wall time in which the VLM was asked"});
    v("training_s", training_s, {"s", "wall time of optimizer steps"});
    v("rendering_s", rendering_s, {"s", "wall time in which the base model drew"});
    v("bytes", bytes, {"B", "of all files that it published"});
    v("files", files, {"", "that it published, the manifest left out"});
    v("done", done, {"", "items: pictures, pairs, steps, as the stage counts"});
    v("refused", refused, {"", "items that a service refused"});
    v("failed", failed, {"", "items that failed for good"});
    v("open", open, {"", "items left for the next round"});
    v("cost_microusd", cost_microusd, {"micro-dollar", "charged for the answers that it recorded"});
    v("ambiguous_microusd", ambiguous_microusd,
      {"micro-dollar", "possibly charged besides: sent, and no answer was recorded"});
    v("ranks", ranks, {"", "MPI world size"});
    v("accepted_partial_by", accepted_partial_by,
      {"", "who accepted less than all; empty = whole"});
    v("software", software, {"", "that wrote it"});
    v("created_ms", created_ms, {"ms UTC", "when it was published"});
  }
};

/// What a manifest says of its stage's result, as a row of `rounds`; `state`: done, stale, retired.
[[nodiscard]] Round round_row(const Manifest& manifest, std::string_view state);

}  // namespace evd::shard
