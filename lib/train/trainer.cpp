#include "train/trainer.hpp"

#include <atomic>
#include <cmath>

#include "core/clock.hpp"
#include "data/prefetch.hpp"
#include "nn/text_encoder.hpp"

namespace evd::train {
namespace {

// Of this size, XL's 2.4 GB of gradients are cut into about 100, a small network's into a handful.
constexpr std::size_t kBucketBytes = std::size_t{1} << 20;

std::vector<Entry> entries_of(const Round& round, const data::Batch& batch, std::int64_t step) {
  std::vector<Entry> entries;
  const auto first =
      static_cast<std::uint64_t>(step) * static_cast<std::uint64_t>(round.options.batch) +
      batch.first;
  for (std::size_t i = 0; i < batch.indices.size(); ++i) {
    const auto& member = round.members[batch.indices[i]];
    entries.push_back({member.id, member.prompt, first + i});
  }
  return entries;
}

double clip_scale(double norm, double clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + 1e-6)) : 1.0;
}

AdamW adamw_of(const run::TrainOptions& options, std::int64_t step) {
  return {warmed_up(options.lr, step, options.warmup_steps),
          options.weight_decay,
          options.beta1,
          options.beta2,
          options.epsilon,
          options.ema};
}

}  // namespace

void train_round(const Round& round, const nn::Layout& layout, State& state,
                 const mpi::Communicator& world, const mpi::Communicator& node,
                 const std::atomic<bool>& stop, const Log& log,
                 const std::function<bool(const Told&)>& after) {
  const auto& options = round.options;
  const Cut cut = cut_into_buckets(layout, kBucketBytes);
  const auto reducer = make_reducer(world, node, cut.size, cut.buckets);
  Backprop backprop(layout, state.weights.values(), state.null_text, cut, *reducer);
  nn::TextEncoder encoder(layout.network().caption_width, layout.network().max_tokens);
  const Noising noising{round.seed, layout.diffusion().timesteps, options.caption_drop};
  Guard guard(options.max_skipped, state.skipped_in_row);
  data::Prefetch::Setup setup;
  setup.first_step = static_cast<std::uint64_t>(state.round_step);
  setup.end_step = static_cast<std::uint64_t>(options.steps_per_round);
  setup.rank = world.rank();
  setup.world_size = world.size();
  data::Prefetch prefetch(
      round.pictures,
      data::Order(round.seed, round.number, static_cast<std::uint32_t>(round.members.size()),
                  static_cast<std::uint64_t>(options.batch)),
      setup);

  while (state.round_step < options.steps_per_round) {
    // ---- data: this rank's part of the global batch
    double last_s = monotonic_s();
    const auto lap = [&] {
      const double now_s = monotonic_s();
      return now_s - std::exchange(last_s, now_s);
    };
    Times times;
    round.activity.enter(Operation::data, state.step);
    data::Batch batch = prefetch.next();
    const Part part =
        make_part(noising, entries_of(round, batch, state.step), std::move(batch.pixels), encoder);
    times.data_s = lap();

    // ---- forward and backward; buckets are summed over the ranks meanwhile
    round.activity.enter(Operation::backward, state.step);
    const Pass pass = backprop.run(part, static_cast<std::size_t>(options.batch), stop);
    times.forward_s = pass.forward_s;
    times.backward_s = pass.backward_s;
    lap();
    round.activity.enter(Operation::reduce, state.step);
    const auto sums = reducer->finish();
    const auto gradient = sums.first(layout.size());
    const auto scalars = sums.subspan(layout.size());
    times.reduce_s = lap();

    // ---- update: every rank computes the same one from the same sums
    round.activity.enter(Operation::update, state.step);
    shard::Step row;
    row.step = state.step;
    row.round = round.number;
    row.loss = scalars[Backprop::kLoss];
    const double norm = std::sqrt(sum_of_squares(gradient));
    const AdamW adamw = adamw_of(options, state.step);
    row.gradient_norm = static_cast<float>(norm);
    row.learning_rate = static_cast<float>(adamw.learning_rate);
    name_culprits(part, pass.losses, state.step, log);
    row.skipped = guard.leaves_out(row.loss, norm, state.step);
    if (!row.skipped) {
      update(adamw, ++state.updates, state.parameters(), gradient, clip_scale(norm, options.clip));
    }
    times.optimizer_s = lap();
    ++state.step;
    ++state.round_step;
    state.skipped_in_row = guard.in_row();

    // ---- telling
    row.data_s = static_cast<float>(times.data_s);
    row.forward_s = static_cast<float>(times.forward_s);
    row.backward_s = static_cast<float>(times.backward_s);
    row.reduce_s = static_cast<float>(times.reduce_s);
    row.optimizer_s = static_cast<float>(times.optimizer_s);
    if (!after({row, times, scalars[Backprop::kStop] > 0})) return;
  }
}

}  // namespace evd::train
