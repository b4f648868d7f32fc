#include "train/step.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace evd::train {

Sums add_up(const Exchange& exchange, const Pass& pass, std::size_t global_batch, bool wish_to_stop,
            const mpi::Communicator& world) {
  double loss = 0;
  for (const float value : pass.losses) loss += value;
  std::array<double, 3> values = {exchange.own_squared_norm(),
                                  loss / static_cast<double>(global_batch),
                                  wish_to_stop ? 1.0 : 0.0};
  world.all_reduce(values, mpi::Reduce::sum);
  return {std::sqrt(values[0]), values[1], values[2] > 0};
}

double clip_scale(double norm, double clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

void apply(const AdamW& adamw, State& state, Exchange& exchange, double gradient_scale) {
  ++state.counters.updates;
  exchange.update(adamw, state.counters.updates, gradient_scale);
}

void swap_average(State& state, Exchange& exchange) {
  state.fence();  // until all ranks of the node are done with the weights
  for (std::size_t bucket = 0; bucket < state.sharding().own().size(); ++bucket) {
    std::ranges::swap_ranges(state.own(Kind::master, bucket), state.own(Kind::ema0, bucket));
  }
  exchange.share_weights();
  state.fence();  // sharing waits for the neighbours once a step, and this step has shared before
}

}  // namespace evd::train
