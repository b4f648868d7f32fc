#pragma once

#include "train/backprop.hpp"
#include "train/exchange.hpp"
#include "train/state.hpp"

namespace evd::train {

/// What all ranks add up after backward; the same bits on each.
struct Sums {
  double gradient_norm = 0;  ///< of the global batch's gradient
  double loss = 0;           ///< mean over the global batch
  bool stop = false;         ///< some rank wishes to
};
/// Collective, after exchange.finish().
[[nodiscard]] Sums add_up(const Exchange& exchange, const Pass& pass, std::size_t global_batch,
                          bool wish_to_stop, const mpi::Communicator& world);

/// Factor that brings a gradient of this norm down to `clip`; 0 = never clip
/// (torch.nn.utils.clip_grad_norm_).
[[nodiscard]] double clip_scale(double norm, double clip);

/// Counts an update and applies it to this rank's parts. share_weights() must follow.
void apply(const AdamW& adamw, State& state, Exchange& exchange, double gradient_scale);

/// The averaged weights change places with those that are trained, on every rank; done twice, all
/// is as before, to the bit. Collective: nobody computes with the weights meanwhile.
void swap_average(State& state, Exchange& exchange);

}  // namespace evd::train
