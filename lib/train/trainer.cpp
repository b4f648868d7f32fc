#include "train/trainer.hpp"

#include <atomic>

#include <ATen/core/Tensor.h>

#include "core/clock.hpp"
#include "data/prefetch.hpp"
#include "nn/schedule.hpp"
#include "nn/text_encoder.hpp"
#include "train/block_norms.hpp"
#include "train/step.hpp"
#include "train/validation.hpp"
#include "train/visits.hpp"

namespace evd::train {
namespace {

std::vector<Entry> entries_of(const Round& round, const data::Batch& batch, std::int64_t step) {
  std::vector<Entry> entries;
  const auto first =
      static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(round.options.batch) +
      batch.first;
  for (std::size_t i = 0; i < batch.indices.size(); ++i) {
    entries.push_back(entry_of(round, batch.indices[i], batch.bucket, first + i));
  }
  return entries;
}

Noising noising_of(const Round& round, const nn::DiffusionOptions& diffusion) {
  const auto& options = round.options;
  Noising noising{.seed = round.seed,
                  .timesteps = diffusion.timesteps,
                  .caption_drop = options.caption_drop,
                  .draw = options.timestep_draw,
                  .batch = static_cast<std::uint64_t>(options.batch),
                  .logit_mean = options.logit_mean,
                  .logit_deviation = options.logit_deviation,
                  .latent_scale = round.latent_scale,
                  .null_text = round.null_text};
  if (options.min_snr_gamma > 0) {
    noising.error_weights =
        nn::min_snr_weights(nn::Schedule(diffusion), diffusion.prediction, options.min_snr_gamma);
  }
  return noising;
}

/// Schedules count applied steps: one that is left out does not move them.
AdamW adamw_of(const run::TrainOptions& options, std::int64_t updates) {
  return {warmed_up(options.lr, updates, options.warmup_steps),
          options.weight_decay,
          options.beta1,
          options.beta2,
          options.epsilon,
          options.ema,
          options.more_decays()};
}

/// On the host what this rank computes with is looked at where it lies: it may be most of the
/// memory.
void check_equal_to_others(const State& state, const Exchange& exchange) {
  const auto size = static_cast<std::int64_t>(state.sharding().layout().size());
  const at::Tensor host = exchange.weights().narrow(0, 0, size).cpu();
  check_equal(state, {static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()});
}

/// Tokens of the global batch's texts, as far as this rank's share tells.
std::int64_t text_tokens_of(const Part& part, int global_batch) {
  if (part.size() == 0) return 0;
  std::int64_t tokens = 0;
  for (const auto& text : part.texts) tokens += text.tokens;
  return tokens * global_batch / static_cast<std::int64_t>(part.size());
}

}  // namespace

Entry entry_of(const Round& round, std::size_t member, int bucket, std::uint64_t number) {
  const auto& of = round.members[member];
  Entry entry{of.id, of.prompt, number};
  if (round.buckets.sizes.empty()) return entry;
  const auto& size = round.buckets.sizes[member];
  entry.height_px = static_cast<float>(size.height_px);
  entry.width_px = static_cast<float>(size.width_px);
  entry.aspect = static_cast<float>(round.buckets.table[static_cast<std::size_t>(bucket)].aspect);
  return entry;
}

RoundEnd train_round(const Round& round, State& state, const std::atomic<bool>& stop,
                     const Log& log, const std::function<bool(const Told&)>& after) {
  const auto& options = round.options;
  const Sharding& sharding = state.sharding();
  const nn::Layout& layout = sharding.layout();
  const auto& world = sharding.grid().world();
  Counters& at = state.counters;
  const auto global_batch = static_cast<std::size_t>(options.batch);
  const auto exchange_of_round = make_exchange(state);
  Exchange& exchange = *exchange_of_round;
  Backprop backprop(sharding, state.null_text, exchange);
  if (options.recompute) backprop.recompute_blocks();
  nn::TextEncoder encoder(layout.network().caption_width, layout.network().max_tokens);
  const Noising noising = noising_of(round, layout.diffusion());
  exchange.tell(round.activity);
  const BlockNorms block_norms(sharding);
  Guard guard({options.spike_factor, options.spike_after, options.max_skipped}, state.guard);
  data::Prefetch::Setup setup;
  setup.first_step = static_cast<std::uint64_t>(at.round_step);
  setup.end_step = static_cast<std::uint64_t>(options.steps_per_round);
  setup.rank = world.rank();
  setup.world_size = world.size();
  data::Prefetch prefetch(
      round.samples,
      data::Order(round.seed, round.number, round.turns, static_cast<std::uint64_t>(options.batch)),
      setup);

  for (;;) {
    if (guard.is_lost()) return RoundEnd::lost;
    // Before a step, not behind one: a job that is told to stop saves first, and looks in its next
    // life.
    if (round.validation != nullptr && round.validation->is_due(at, options.validate_every) &&
        !round.looked(round.validation->run(round, state, backprop, exchange, stop))) {
      return RoundEnd::stopped;
    }
    if (at.round_step >= options.steps_per_round) {
      check_equal_to_others(state, exchange);
      return RoundEnd::finished;
    }
    // ---- data: this rank's part of the global batch
    double last_s = monotonic_s();
    const auto lap = [&] {
      const double now_s = monotonic_s();
      return now_s - std::exchange(last_s, now_s);
    };
    Times times;
    round.activity.enter(Operation::data, at.step);
    data::Batch batch = prefetch.next();
    shard::Step row;
    row.step = at.step;
    row.round = round.number;
    if (guard.skips(at.step)) {
      row.skipped = true;
      ++at.step;
      ++at.round_step;
      if (!after({row, times})) return RoundEnd::stopped;
      continue;
    }
    const Part part =
        make_part(noising, entries_of(round, batch, at.step), std::move(batch.samples), encoder);
    times.data_s = lap();

    const bool looks = options.block_norms_every > 0 && at.step % options.block_norms_every == 0;
    std::vector<double> logits;
    if (looks) logits = largest_logits(backprop, part, sharding);

    // ---- forward and backward; buckets are summed over the ranks meanwhile
    const Pass pass =
        backprop.run(part, global_batch, static_cast<std::size_t>(options.micro_batch),
                     [&](Operation operation) { round.activity.enter(operation, at.step); });
    times.forward_s = pass.forward_s;
    times.backward_s = pass.backward_s;
    lap();
    round.activity.enter(Operation::reduce, at.step);
    exchange.finish();
    const Sums sums = add_up(exchange, pass, global_batch, stop, world);
    times.reduce_s = lap();

    // ---- update: every rank of its own parts
    round.activity.enter(Operation::update, at.step);
    row.loss = static_cast<float>(sums.loss);
    const AdamW adamw = adamw_of(options, at.updates);
    row.gradient_norm = static_cast<float>(sums.gradient_norm);
    row.learning_rate = static_cast<float>(adamw.learning_rate);
    const auto visits = gather_visits(part, pass.losses, batch.first, at.step, round.number, world);
    const Verdict verdict = guard.judge(at.step, sums.loss, sums.gradient_norm, at.updates);
    row.skipped = verdict != Verdict::apply;
    std::vector<shard::Block> blocks;
    if (row.skipped) {
      if (world.rank() == 0) name_culprits(verdict, visits, row, log);
    } else {
      apply(adamw, state, exchange, clip_scale(sums.gradient_norm, options.clip));
      if (looks) {
        blocks =
            block_norms.measure(state, exchange, adamw, at.updates, at.step, round.number, logits);
      }
    }
    times.optimizer_s = lap();
    exchange.share_weights();
    times.reduce_s += lap();
    ++at.step;
    ++at.round_step;

    // ---- telling
    row.data_s = static_cast<float>(times.data_s);
    row.forward_s = static_cast<float>(times.forward_s);
    row.backward_s = static_cast<float>(times.backward_s);
    row.reduce_s = static_cast<float>(times.reduce_s);
    row.optimizer_s = static_cast<float>(times.optimizer_s);
    const auto text_tokens = text_tokens_of(part, options.batch);
    if (!after({row, times, sums.stop, visits, blocks, text_tokens})) return RoundEnd::stopped;
  }
}

}  // namespace evd::train
