#pragma once

#include <string>
#include <vector>

#include "nn/device.hpp"
#include "nn/layout.hpp"
#include "run/config.hpp"
#include "train/activations.hpp"

namespace evd::train {

/// What a job looks like that is planned for.
struct JobShape {
  int ranks = 1;
  int ranks_per_node = 1;
  std::int64_t batch = 1;        ///< over all ranks
  std::int64_t micro_batch = 0;  ///< of a rank at once; 0 = all
  std::int64_t text_tokens = 1;  ///< of one text, at most
  double snapshot_bytes = 1e18;  ///< at most, of a rank
  double validation_bytes = 0;   ///< of a rank that draws pictures: the VAE and what it works on
  Recompute recompute = Recompute::none;
  nn::Engine engine{};
  int averages = 1;
};

[[nodiscard]] JobShape job_of(const run::Config& config, int ranks, int ranks_per_node,
                              const nn::Engine& engine);

/// One thing that takes memory.
struct PlannedBuffer {
  std::string name;
  double bytes = 0;
  bool is_shared = false;  ///< one for all ranks of a node
  std::string lowered_by;  ///< what makes it smaller
  bool on_card = false;    ///< of each rank's card, else of the node
};

/// Memory of training. Where the engine is plain: weights (fp32, their own master) once a node in
/// shared memory, gradients of each rank, moments and average of the parts that a rank owns (ZeRO
/// stage 1, Rajbhandari et al. 2020), activations, and the snapshot that a checkpoint is written
/// from. Elsewhere each rank holds all weights in the type of the computation, and the master of
/// its parts; on cards all but snapshot, batches and process lie there.
class MemoryPlan {
 public:
  MemoryPlan(const nn::Layout& layout, const JobShape& job);

  [[nodiscard]] const std::vector<PlannedBuffer>& buffers() const { return buffers_; }
  /// What each rank allocates on its card.
  [[nodiscard]] double card_bytes() const;
  /// What one rank of a node allocates when `ranks_per_node` share what is shared.
  [[nodiscard]] double node_bytes(int ranks_per_node) const;
  /// Address space of one rank: what is shared is mapped whole.
  [[nodiscard]] double rank_bytes() const;
  /// Ranks of one node that fit into `bytes`; 0 = none.
  [[nodiscard]] int ranks_that_fit(double bytes) const;
  /// "activations 9.1 GB a rank (fewer pictures a rank: more ranks, smaller train.batch)".
  [[nodiscard]] std::string largest(std::size_t count) const;

 private:
  std::vector<PlannedBuffer> buffers_;
};

/// Pictures that the busiest rank takes of a batch.
[[nodiscard]] std::int64_t samples_per_rank(const JobShape& job);

}  // namespace evd::train
