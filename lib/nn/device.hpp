#pragma once

#include <string>

#include "nn/options.hpp"

namespace evd::nn {

/// Where a process computes, and in what numbers. This header holds no torch.
struct Engine {
  int card = -1;  ///< as the process numbers its cards; -1 = on the processor
  Precision precision = Precision::float32;

  [[nodiscard]] bool on_card() const { return card >= 0; }
  /// In float on the processor, where the weights that are computed with are their own master.
  [[nodiscard]] bool is_plain() const { return !on_card() && precision == Precision::float32; }
};

/// ConfigurationError, with what to type, when a card is wanted and there is none.
void require_device(const ComputeOptions& options);

/// The engine of a rank that is number `local_rank` on its node: card local_rank modulo the cards
/// it sees, which becomes the calling thread's. ConfigurationError as require_device().
[[nodiscard]] Engine choose_engine(const ComputeOptions& options, int local_rank);

/// Gives back what LibTorch keeps of freed memory of the card: managed memory, in which training's
/// state lies, would leave the card for it without a word.
void release_cached(const Engine& engine);

/// "cpu", "NVIDIA H100 80GB HBM3": what a checkpoint remembers.
[[nodiscard]] std::string device_name(const Engine& engine);

}  // namespace evd::nn
