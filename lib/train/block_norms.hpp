#pragma once

#include <string>
#include <vector>

#include "shard/training_rows.hpp"
#include "train/adamw.hpp"
#include "train/backprop.hpp"
#include "train/exchange.hpp"
#include "train/state.hpp"

namespace evd::train {

/// "blocks.3" of "blocks.3.attn.qkv.weight"; "final_layer" of "final_layer.linear.bias".
[[nodiscard]] std::string part_of(std::string_view parameter);

/// The largest attention logits that the ranks see in the first samples of their parts, by block,
/// self and cross by turns (Backprop::attention_logits); of 0 where no rank has samples. Before the
/// update. Collective.
[[nodiscard]] std::vector<double> largest_logits(const Backprop& backprop, const Part& part,
                                                 const Sharding& sharding);

/// Norms of the parts of a network at one step, each rank adding what it owns.
class BlockNorms {
 public:
  /// `sharding` must outlive it.
  explicit BlockNorms(const Sharding& sharding);

  /// Behind an update, before the weights are shared: norms of the gradient before clipping, of the
  /// weights, and of the step over the weights', all from what each rank owns. The step is not
  /// remembered but computed again, from the moments that it was made of. Collective; rows on every
  /// rank. `updates` counts applied updates, this one included; `logits` is what largest_logits()
  /// gave.
  [[nodiscard]] std::vector<shard::Block> measure(const State& state, Exchange& exchange,
                                                  const AdamW& adamw, std::int64_t updates,
                                                  std::int64_t step, int round,
                                                  std::span<const double> logits) const;

 private:
  /// Owned elements of one part of the network, within the owned part of one bucket.
  struct Run {
    std::size_t bucket = 0;
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t part = 0;
  };
  /// What an update's step is computed from again.
  struct Remade {
    double rate = 0;
    double unbias = 0;
    double keep = 0;
    double epsilon = 0;
  };
  /// Adds the three sums of each part, computed where the state lies.
  void add_on_card(const State& state, const Exchange& exchange, const Remade& remade,
                   std::span<double> squares) const;
  [[nodiscard]] std::vector<shard::Block> rows_of(std::vector<double>& squares, std::int64_t step,
                                                  int round, std::span<const double> logits) const;

  const Sharding& sharding_;
  std::vector<std::string> parts_;
  std::vector<Run> runs_;
};

}  // namespace evd::train
