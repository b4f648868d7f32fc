#include "train/memory_plan.hpp"

#include <algorithm>

#include "core/text.hpp"

namespace evd::train {
namespace {

// bfloat16 in products, float between blocks: bytes of an element on average.
constexpr double kMixedBytes = 3;
// LibTorch, MPI and the allocator's own, measured: a rank that trains next to nothing.
constexpr double kProcessBytes = 220e6;
constexpr double kCardProcessBytes = 1.5e9;  // of the driver and CUDA's libraries: not measured
constexpr int kBatchesReadAhead = 3;

// The VAE of Stable Diffusion: its weights, and what decoding holds of a pixel (of 512 px: 1,382
// MiB in all, measured by tools/bench/vae).
constexpr double kVaeBytes = 335e6;
constexpr double kVaeBytesPerPixel = 4300;

double validation_bytes(const run::Config& config) {
  const auto& train = config.train;
  if (train.validate_every == 0 || train.validation_pictures == 0 || !config.has_vae()) return 0;
  const double side =
      config.vae.tile > 0 ? std::min(config.vae.tile, config.side_px()) : config.side_px();
  return kVaeBytes + kVaeBytesPerPixel * side * side;
}

}  // namespace

JobShape job_of(const run::Config& config, int ranks, int ranks_per_node,
                const nn::Engine& engine) {
  const auto& train = config.train;
  return {.ranks = ranks,
          .ranks_per_node = ranks_per_node,
          .batch = train.batch,
          .micro_batch = train.micro_batch,
          .text_tokens = config.network.max_tokens,
          .snapshot_bytes = train.snapshot_mib * 1048576.0,
          .validation_bytes = validation_bytes(config),
          .recompute = train.recompute ? Recompute::block : Recompute::none,
          .engine = engine,
          .averages = 1 + static_cast<int>(train.more_decays().size())};
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
  const bool plain = job.engine.is_plain();
  const bool card = job.engine.on_card();
  const bool halves = job.engine.precision == nn::Precision::bfloat16;
  const double computed = parameters * (halves ? 0.5 : 1.0);
  const char* fewer_ranks = card ? "a smaller network" : "fewer ranks a node";
  buffers_ = {
      {"weights", computed, plain, plain ? "a smaller network" : fewer_ranks, card},
      {"gradients", parameters, false, fewer_ranks, card},
      {"moments", 2 * owned, false, smaller, card},
      {"averages", job.averages * owned, false, smaller, card},
      {"activations",
       activation_bytes(n, layout.diffusion(), shape, job.recompute,
                        halves ? kMixedBytes : sizeof(float)),
       false, "fewer pictures at once: more ranks, train.micro_batch", card},
      {"checkpoint snapshot", std::min((3 + job.averages) * owned, job.snapshot_bytes), false,
       "more ranks share it, or train.snapshot_mib"},
      {"validation", job.validation_bytes, false, "train.validation_pictures=0, or vae.tile", card},
      {"batches read ahead", kBatchesReadAhead * static_cast<double>(samples) * sample, false,
       "fewer pictures a rank"},
      {"process", card ? kCardProcessBytes : kProcessBytes, false, "fewer ranks a node"},
  };
  std::erase_if(buffers_, [](const auto& buffer) { return buffer.bytes == 0; });
  if (plain) return;
  const double exchanged = owned + computed / job.ranks;  // sums of gradients; weights to send
  buffers_.insert(buffers_.begin() + 1, {{"master", owned, false, smaller, card},
                                         {"parts on their way", exchanged, false, smaller, card}});
}

double MemoryPlan::node_bytes(int ranks_per_node) const {
  double sum = 0;
  for (const auto& buffer : buffers_) {
    if (!buffer.on_card) sum += buffer.bytes * (buffer.is_shared ? 1 : ranks_per_node);
  }
  return sum;
}

double MemoryPlan::card_bytes() const {
  double sum = 0;
  for (const auto& buffer : buffers_) sum += buffer.on_card ? buffer.bytes : 0;
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
                    (buffer.on_card     ? " a card ("
                     : buffer.is_shared ? " a node ("
                                        : " a rank (") +
                    buffer.lowered_by + ")");
  }
  return join(parts, ", ");
}

}  // namespace evd::train
