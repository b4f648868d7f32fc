#include "train/validation.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/clock.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

int timestep_of(std::size_t index, int timesteps) {
  const auto share = (static_cast<double>(index) + 0.5) / Validation::kTimesteps;
  return std::min(static_cast<int>(share * timesteps), timesteps - 1);
}

/// A member at all timesteps.
Part part_of(const Round& round, const nn::Layout& layout, std::size_t member,
             nn::TextEncoder& encoder) {
  const int timesteps = layout.diffusion().timesteps;
  const Noising noising{.seed = round.seed,
                        .timesteps = timesteps,
                        .latent_scale = round.latent_scale,
                        .null_text = round.null_text};
  std::vector<Entry> entries;
  for (std::size_t i = 0; i < Validation::kTimesteps; ++i) {
    entries.push_back(entry_of(round, member, round.buckets.of[member], i));
  }
  Part part = make_part(
      noising, entries,
      std::vector<data::Loaded>(Validation::kTimesteps, round.samples.load(member)), encoder);
  for (std::size_t i = 0; i < Validation::kTimesteps; ++i) {
    part.timesteps[i] = timestep_of(i, timesteps);
  }
  return part;
}

/// No more than a pass of training has, so that activations are no larger.
std::size_t at_once(const run::TrainOptions& options, std::size_t ranks) {
  auto most = std::max<std::size_t>(1, static_cast<std::size_t>(options.batch) / ranks);
  if (options.micro_batch > 0) most = std::min(most, static_cast<std::size_t>(options.micro_batch));
  return std::min(most, Validation::kTimesteps);
}

}  // namespace

bool Validation::measure(const Round& round, const State& state, const Backprop& backprop,
                         bool averaged, const GoesOn& goes_on,
                         std::vector<shard::Validation>& rows) const {
  if (held_out_.empty()) return true;
  const auto& world = state.sharding().grid().world();
  const auto& layout = state.sharding().layout();
  const auto rank = static_cast<std::size_t>(world.rank());
  const auto ranks = static_cast<std::size_t>(world.size());
  const std::size_t most = at_once(round.options, ranks);
  nn::TextEncoder encoder(layout.network().caption_width, layout.network().max_tokens);
  std::vector<float> own;
  for (std::size_t first = 0; first < held_out_.size(); first += ranks) {
    if (!goes_on()) return false;
    if (first + rank >= held_out_.size()) continue;
    const Part part = part_of(round, layout, held_out_[first + rank], encoder);
    for (std::size_t begin = 0; begin < kTimesteps; begin += most) {
      const auto found = backprop.losses(part.slice(begin, std::min(begin + most, kTimesteps)));
      own.insert(own.end(), found.begin(), found.end());
    }
  }
  const auto all = world.gather(std::as_bytes(std::span(own)), 0);
  if (world.rank() != 0) return true;
  // Added in the members' order, so that the sum does not depend on the number of ranks.
  std::array<double, kTimesteps> sums{};
  for (std::size_t i = 0; i < held_out_.size(); ++i) {
    std::array<float, kTimesteps> values{};
    std::memcpy(values.data(), all[i % ranks].data() + i / ranks * sizeof values, sizeof values);
    for (std::size_t k = 0; k < kTimesteps; ++k) sums[k] += double{values[k]};
  }
  const auto count = static_cast<double>(held_out_.size());
  for (std::size_t k = 0; k < kTimesteps; ++k) {
    rows.push_back({state.counters.step, averaged, timestep_of(k, layout.diffusion().timesteps),
                    round.number, static_cast<std::int32_t>(held_out_.size()),
                    static_cast<float>(sums[k] / count)});
  }
  return true;
}

std::optional<Validated> Validation::run(const Round& round, State& state, const Backprop& backprop,
                                         Exchange& exchange, const std::atomic<bool>& stop) {
  const auto& world = state.sharding().grid().world();
  const double begun_s = monotonic_s();
  // Asked by all ranks before each piece of work, so that none takes longer than a limit is for.
  const auto goes_on = [&] {
    round.activity.enter(Operation::validation, state.counters.step - 1);
    return world.all_reduce(std::int64_t{stop ? 1 : 0}, mpi::Reduce::max) == 0;
  };
  Validated found;
  if (!measure(round, state, backprop, false, goes_on, found.rows)) return std::nullopt;
  swap_average(state, exchange);
  bool is_whole = measure(round, state, backprop, true, goes_on, found.rows);
  if (is_whole && pictures_) {
    auto sheet = pictures_->draw(exchange.weights(), state.null_text, goes_on);
    is_whole = sheet.has_value();
    if (sheet) found.sheet = std::move(*sheet);
  }
  nn::release_cached(state.engine());
  swap_average(state, exchange);
  if (!is_whole) return std::nullopt;
  last_ = state.counters.step;
  found.seconds = monotonic_s() - begun_s;
  return found;
}

}  // namespace evd::train
