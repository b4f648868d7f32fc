#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "core/option.hpp"
#include "nn/options.hpp"

namespace evd::run {

struct TrainOptions {
  int steps_per_round = 1000;
  int batch = 64;
  double lr = 2e-5;
  int warmup_steps = 1000;
  double weight_decay = 0.03;
  double beta1 = 0.9;
  double beta2 = 0.999;
  double epsilon = 1e-8;
  double clip = 1.0;
  double ema = 0.9999;
  std::string more_emas;
  double caption_drop = 0.1;
  nn::TimestepDraw timestep_draw = nn::TimestepDraw::uniform;
  double logit_mean = 0;
  double logit_deviation = 1;
  double min_snr_gamma = 0;
  bool recompute = false;
  int staleness = 1;
  int checkpoint_every = 200;
  int keep = 2;
  int snapshot_mib = 4096;
  int micro_batch = 0;
  int max_skipped = 20;
  double spike_factor = 10;
  int spike_after = 500;
  int block_norms_every = 50;
  int validate_every = 0;
  double held_out_share = 0;
  int validation_samples = 256;
  int validation_pictures = 16;
  double peak_tflops = 0;
  double step_limit_s = 600;
  double phase_limit_s = 3600;

  static constexpr std::size_t kMostMoreEmas = 3;
  /// The decays of more_emas; ConfigurationError when there are too many, or one is no share.
  [[nodiscard]] std::vector<double> more_decays() const;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("steps_per_round", steps_per_round, {"steps", "optimizer steps of a round", science, 1, 1e8});
    v("batch", batch, {"images", "global batch, over all ranks", science, 1, 1e6});
    v("lr", lr, {"", "learning rate after warm-up (AdamW)", science, 0, 10});
    v("warmup_steps", warmup_steps,
      {"steps", "linear, in applied updates of the whole campaign", science, 0, 1e8});
    v("weight_decay", weight_decay, {"", "decoupled", science, 0, 10});
    v("beta1", beta1, {"", "AdamW", science, 0, 1});
    v("beta2", beta2, {"", "AdamW", science, 0, 1});
    v("epsilon", epsilon, {"", "AdamW", science, 0, 1});
    v("clip", clip, {"", "largest gradient norm; 0 = none", science, 0, 1e9});
    v("ema", ema, {"", "decay of the averaged weights, which are what is sampled", science, 0, 1});
    v("more_emas", more_emas,
      {"",
       "decays of up to 3 averages more, apart by spaces: kept and published beside "
       "(model-ema1.safetensors, ...) to choose from later",
       science});
    v("caption_drop", caption_drop,
      {"", "share of captions left out, for guidance", science, 0, 1});
    v("timestep_draw", timestep_draw,
      {"",
       "uniform; stratified = one in each of as many stretches of the schedule as the batch has "
       "images; logit_normal = the middle more often"});
    v("logit_mean", logit_mean, {"", "of logit_normal", science, -10, 10});
    v("logit_deviation", logit_deviation, {"", "of logit_normal", science, 0.01, 10});
    v("min_snr_gamma", min_snr_gamma,
      {"",
       "square errors weigh min(SNR, gamma) / SNR, with v-prediction / (SNR + 1) (min-SNR); 0 = "
       "all alike",
       science, 0, 1e6});
    v("recompute", recompute,
      {"",
       "compute each block anew in backward instead of keeping what it made: the same bits, less "
       "memory, a third more work",
       operation});
    v("staleness", staleness,
      {"rounds", "how old the set may be: 1 = training never waits for the judge", science, 0, 1});
    v("checkpoint_every", checkpoint_every,
      {"steps", "a checkpoint to resume from is written this often", operation, 1, 1e8});
    v("keep", keep, {"", "newest checkpoints kept within a round", operation, 1, 100});
    v("snapshot_mib", snapshot_mib,
      {"MiB",
       "memory of a rank for writing a checkpoint while training goes on; one that needs "
       "more is written piece by piece, and training waits",
       operation, 0, 1e7});
    v("micro_batch", micro_batch,
      {"images", "of a rank's share of the batch at once: less memory, more time; 0 = all",
       operation, 0, 1e6});
    v("max_skipped", max_skipped,
      {"steps",
       "left out in a row before it goes back to a checkpoint and leaves those steps out for good",
       science, 1, 1e6});
    v("spike_factor", spike_factor,
      {"",
       "a step whose gradient norm is so many times the median of the last 200 is left out; 0 = "
       "never",
       science, 0, 1e9});
    v("spike_after", spike_after,
      {"steps", "applied before spikes are looked for: a start is wild", science, 0, 1e8});
    v("block_norms_every", block_norms_every,
      {"steps", "between rows of blocks.h5 (norms and attention logits of each block); 0 = none",
       science, 0, 1e8});
    v("validate_every", validate_every,
      {"steps",
       "of the campaign between validations: losses on held-out samples, and pictures that the "
       "averaged weights draw; 0 = never",
       science, 0, 1e8});
    v("held_out_share", held_out_share,
      {"", "of the set that is never trained on, so that validations have a loss", science, 0,
       0.9});
    v("validation_samples", validation_samples,
      {"samples", "of those held out that a validation takes, 16 timesteps each", science, 1, 1e6});
    v("validation_pictures", validation_pictures,
      {"pictures", "of held-out prompts in a validation's contact sheet", operation, 0, 1024});
    v("peak_tflops", peak_tflops,
      {"TFLOP/s", "of one rank's device: progress then shows the share of it that is used (MFU)",
       operation, 0, 1e6});
    v("step_limit_s", step_limit_s,
      {"s",
       "a step that takes longer, and ten times as long as usual, hangs: the job ends with the "
       "ranks' names; 0 = wait for ever",
       operation, 0, 1e6});
    v("phase_limit_s", phase_limit_s,
      {"s", "the same for loading, extraction, validation and checkpoints", operation, 1, 1e6});
  }
};

}  // namespace evd::run
