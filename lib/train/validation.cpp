#include "train/validation.hpp"

#include <algorithm>
#include <array>
#include <cstring>

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

}  // namespace

std::vector<shard::Validation> Validation::losses(const Round& round, const State& state,
                                                  const Backprop& backprop, bool averaged) const {
  const auto& world = state.sharding().grid().world();
  const auto& layout = state.sharding().layout();
  const auto rank = static_cast<std::size_t>(world.rank());
  const auto ranks = static_cast<std::size_t>(world.size());
  const auto& options = round.options;
  const std::size_t most =
      options.micro_batch == 0 ? kTimesteps : static_cast<std::size_t>(options.micro_batch);
  nn::TextEncoder encoder(layout.network().caption_width, layout.network().max_tokens);
  std::vector<float> own;
  for (std::size_t i = rank; i < held_out_.size(); i += ranks) {
    const Part part = part_of(round, layout, held_out_[i], encoder);
    for (std::size_t begin = 0; begin < kTimesteps; begin += most) {
      const auto found = backprop.losses(part.slice(begin, std::min(begin + most, kTimesteps)));
      own.insert(own.end(), found.begin(), found.end());
    }
  }
  const auto all = world.gather(std::as_bytes(std::span(own)), 0);
  if (world.rank() != 0) return {};
  // Added in the members' order, so that the sum does not depend on the number of ranks.
  std::array<double, kTimesteps> sums{};
  for (std::size_t i = 0; i < held_out_.size(); ++i) {
    std::array<float, kTimesteps> values{};
    std::memcpy(values.data(), all[i % ranks].data() + i / ranks * sizeof values, sizeof values);
    for (std::size_t k = 0; k < kTimesteps; ++k) sums[k] += double{values[k]};
  }
  std::vector<shard::Validation> rows;
  const auto count = static_cast<double>(held_out_.size());
  for (std::size_t k = 0; k < kTimesteps; ++k) {
    rows.push_back({state.counters.step - 1, averaged, timestep_of(k, layout.diffusion().timesteps),
                    round.number, static_cast<std::int32_t>(held_out_.size()),
                    static_cast<float>(sums[k] / count)});
  }
  return rows;
}

Validated Validation::run(const Round& round, State& state, const Backprop& backprop,
                          Exchange& exchange) const {
  Validated found;
  const auto measure = [&](bool averaged) {
    if (held_out_.empty()) return;
    const auto rows = losses(round, state, backprop, averaged);
    found.rows.insert(found.rows.end(), rows.begin(), rows.end());
  };
  measure(false);
  swap_average(state, exchange);
  measure(true);
  if (pictures_) found.sheet = pictures_->draw(state.weights(), state.null_text);
  swap_average(state, exchange);
  return found;
}

}  // namespace evd::train
