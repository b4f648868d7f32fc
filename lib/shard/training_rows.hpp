#pragma once

#include <cstdint>

#include "shard/rows.hpp"

/// Rows that training writes in great number, beside its steps.
namespace evd::shard {

/// One sample in the batch of one optimizer step.
struct Visit {
  std::int64_t step = 0;
  std::int32_t place = 0;
  std::int32_t round = 0;
  SampleId sample;
  std::int32_t timestep = 0;
  bool caption_dropped = false;
  float loss = 0;

  template <class V>
  void columns(V& v) {
    v("step", step, {"", "steps.step"});
    v("place", place, {"", "in the global batch, from 0"});
    v("round", round, {"round", ""});
    v("sample", sample, {"", "samples.id"});
    v("timestep", timestep, {"", "of the noise that was added"});
    v("caption_dropped", caption_dropped, {"", "trained without its caption, for guidance"});
    v("loss", loss, {"", "of this sample; not finite where its step was left out for it"});
  }
};

/// One part of the network at one optimizer step.
struct Block {
  std::int64_t step = 0;
  Name part;
  std::int32_t round = 0;
  float gradient_norm = 0;
  float weight_norm = 0;
  float update_ratio = 0;
  float self_logit = 0;
  float cross_logit = 0;

  template <class V>
  void columns(V& v) {
    v("step", step, {"", "steps.step"});
    v("part", part, {"", "blocks.N, or the layer's name outside of blocks"});
    v("round", round, {"round", ""});
    v("gradient_norm", gradient_norm, {"", "before clipping"});
    v("weight_norm", weight_norm, {"", "after the step"});
    v("update_ratio", update_ratio, {"", "norm of the step's change over the weights' norm"});
    v("self_logit", self_logit,
      {"",
       "largest absolute logit of self-attention before the step, over some of its samples; not a "
       "number outside of blocks"});
    v("cross_logit", cross_logit, {"", "the same of cross-attention"});
  }
};

/// The loss of held-out samples at one timestep, always the same noise, after an optimizer step.
struct Validation {
  std::int64_t step = 0;
  bool averaged = false;
  std::int32_t timestep = 0;
  std::int32_t round = 0;
  std::int32_t samples = 0;
  float loss = 0;

  template <class V>
  void columns(V& v) {
    v("step", step, {"", "steps of the campaign that were done"});
    v("averaged", averaged, {"", "of the averaged weights; otherwise of those that are trained"});
    v("timestep", timestep, {"", "of the noise that was added"});
    v("round", round, {"round", ""});
    v("samples", samples, {"", "held out from training, that it is the mean of"});
    v("loss", loss, {"", ""});
  }
};

}  // namespace evd::shard
