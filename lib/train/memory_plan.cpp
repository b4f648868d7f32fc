#include "train/memory_plan.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace evd::train {
namespace {

// LibTorch, MPI and the allocator's own, measured: a rank that trains next to nothing.
constexpr double kProcessBytes = 220e6;
constexpr int kBatchesReadAhead = 3;

}  // namespace

JobShape job_of(const run::Config& config, int ranks, int ranks_per_node) {
  const auto& train = config.train;
  return {.ranks = ranks,
          .ranks_per_node = ranks_per_node,
          .batch = train.batch,
          .micro_batch = train.micro_batch,
          .text_tokens = config.network.max_tokens,
          .snapshot_bytes = train.snapshot_mib * 1048576.0,
          .recompute = train.recompute ? Recompute::block : Recompute::none};
}

std::int64_t samples_per_rank(const JobShape& job) {
  return (job.batch + job.ranks - 1) / std::max(1, job.ranks);
}

MemoryPlan::MemoryPlan(const nn::Layout& layout, const JobShape& job) {
  const double parameters = 4.0 * static_cast<double>(layout.size());
  const double owned = parameters / job.ranks;
  const auto& n = layout.network();
  const std::int64_t samples = samples_per_rank(job);
  const std::int64_t at_once = job.micro_batch > 0 ? std::min(samples, job.micro_batch) : samples;
  const PassShape shape{at_once, tokens_of(n), at_once * job.text_tokens};
  const double sample = 4.0 * (2.0 * n.channels * n.input_size * n.input_size +
                               static_cast<double>(job.text_tokens) * n.caption_width);
  const std::string smaller = "more ranks share them";
  buffers_ = {
      {"weights", parameters, true, "a smaller network"},
      {"gradients", parameters, false, "fewer ranks a node"},
      {"moments", 2 * owned, false, smaller},
      {"average", owned, false, smaller},
      {"activations", activation_bytes(n, layout.diffusion(), shape, job.recompute), false,
       "fewer pictures at once: more ranks, train.micro_batch"},
      {"checkpoint snapshot", std::min(4 * owned, job.snapshot_bytes), false,
       "more ranks share it, or train.snapshot_mib"},
      {"batches read ahead", kBatchesReadAhead * static_cast<double>(samples) * sample, false,
       "fewer pictures a rank"},
      {"process", kProcessBytes, false, "fewer ranks a node"},
  };
}

double MemoryPlan::node_bytes(int ranks_per_node) const {
  double sum = 0;
  for (const auto& buffer : buffers_) sum += buffer.bytes * (buffer.is_shared ? 1 : ranks_per_node);
  return sum;
}

double MemoryPlan::rank_bytes() const { return node_bytes(1); }

int MemoryPlan::ranks_that_fit(double bytes) const {
  const double each = node_bytes(2) - node_bytes(1);
  const double shared = node_bytes(0);
  return std::max(0, static_cast<int>((bytes - shared) / each));
}

std::string MemoryPlan::largest(std::size_t count) const {
  auto sorted = buffers_;
  std::stable_sort(sorted.begin(), sorted.end(),
                   [](const auto& a, const auto& b) { return a.bytes > b.bytes; });
  sorted.resize(std::min(count, sorted.size()));
  std::vector<std::string> parts;
  for (const auto& buffer : sorted) {
    parts.push_back(buffer.name + " " + human_bytes(buffer.bytes) +
                    (buffer.is_shared ? " a node (" : " a rank (") + buffer.lowered_by + ")");
  }
  return join(parts, ", ");
}

}  // namespace evd::train
