#include "train/state.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd::train {

std::string_view name_of(Kind kind) {
  switch (kind) {
    case Kind::master:
      return "master";
    case Kind::exp_avg:
      return "exp_avg";
    case Kind::exp_avg_sq:
      return "exp_avg_sq";
    case Kind::ema0:
      return "ema0";
  }
  throw InternalError("unknown buffer of a checkpoint");
}

State::State(const Sharding& sharding)
    : null_text(static_cast<std::size_t>(sharding.layout().network().max_tokens) *
                static_cast<std::size_t>(sharding.layout().network().caption_width)),
      sharding_(sharding),
      weights_(sharding.grid().local(),
               sharding.grid().place().local == 0 ? sharding.layout().size() * sizeof(float) : 0),
      exp_avg_(sharding.own_size()),
      exp_avg_sq_(sharding.own_size()),
      ema_(sharding.own_size()) {
  for (std::size_t at = 0; const Range& part : sharding.own()) {
    places_.push_back(at);
    at += part.size();
  }
}

std::span<float> State::weights() const {
  return {reinterpret_cast<float*>(weights_.part(0).data()), sharding_.layout().size()};
}

std::span<const float> State::own(Kind kind, std::size_t bucket) const {
  const Range part = sharding_.own().at(bucket);
  switch (kind) {
    case Kind::master:
      return weights().subspan(part.begin, part.size());
    case Kind::exp_avg:
      return exp_avg_.values().subspan(places_[bucket], part.size());
    case Kind::exp_avg_sq:
      return exp_avg_sq_.values().subspan(places_[bucket], part.size());
    case Kind::ema0:
      return ema_.values().subspan(places_[bucket], part.size());
  }
  throw InternalError("unknown buffer of a state");
}

std::span<float> State::own(Kind kind, std::size_t bucket) {
  const auto values = std::as_const(*this).own(kind, bucket);
  return {const_cast<float*>(values.data()), values.size()};  // of this object, which is not const
}

Parameters State::own_parameters(std::size_t bucket) {
  return {own(Kind::master, bucket), own(Kind::exp_avg, bucket), own(Kind::exp_avg_sq, bucket),
          own(Kind::ema0, bucket)};
}

void start_fresh(State& state, const std::function<nn::Weights()>& load) {
  const auto& local = state.sharding().grid().local();
  if (local.rank() == 0) {
    nn::Weights weights = load();
    std::ranges::copy(weights.flat, state.weights().begin());
    state.null_text = std::move(weights.null_text);
  }
  local.broadcast(std::as_writable_bytes(std::span(state.null_text)), 0);
  state.fence();
  for (std::size_t bucket = 0; bucket < state.sharding().own().size(); ++bucket) {
    std::ranges::fill(state.own(Kind::exp_avg, bucket), 0.0F);
    std::ranges::fill(state.own(Kind::exp_avg_sq, bucket), 0.0F);
    std::ranges::copy(state.own(Kind::master, bucket), state.own(Kind::ema0, bucket).begin());
  }
  state.counters = {};
  state.guard = {};
}

void check_equal(const State& state) {
  const auto& across = state.sharding().grid().across();
  if (across.size() == 1) return;  // one buffer
  const auto hash = static_cast<std::int64_t>(xxh3_64(std::as_bytes(state.weights())) >> 1);
  if (across.all_reduce(hash, mpi::Reduce::min) != across.all_reduce(hash, mpi::Reduce::max)) {
    throw InternalError("the nodes' weights have drifted apart at step " +
                        std::to_string(state.counters.step));
  }
}

}  // namespace evd::train
