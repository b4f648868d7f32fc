#include "train/state.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd::train {
namespace {

Home home_of(const nn::Engine& engine) { return engine.on_card() ? Home::card : Home::host; }

}  // namespace

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
    case Kind::ema1:
      return "ema1";
    case Kind::ema2:
      return "ema2";
    case Kind::ema3:
      return "ema3";
  }
  throw InternalError("unknown buffer of a checkpoint");
}

State::State(const Sharding& sharding, const nn::Engine& engine, std::vector<double> more_decays)
    : null_text(static_cast<std::size_t>(sharding.layout().network().max_tokens) *
                static_cast<std::size_t>(sharding.layout().network().caption_width)),
      sharding_(sharding),
      engine_(engine),
      weights_(sharding.grid().local(), engine.is_plain() && sharding.grid().place().local == 0
                                            ? sharding.layout().size() * sizeof(float)
                                            : 0),
      master_(engine.is_plain() ? 0 : sharding.own_size(), home_of(engine)),
      exp_avg_(sharding.own_size(), home_of(engine)),
      exp_avg_sq_(sharding.own_size(), home_of(engine)),
      more_decays_(std::move(more_decays)) {
  for (std::size_t i = 0; i < 1 + more_decays_.size(); ++i) {
    emas_.emplace_back(sharding.own_size(), home_of(engine));
  }
  if (!engine.is_plain() && sharding.grid().local().size() != 1) {
    throw InternalError("ranks that share no weights were sharded as those of one node");
  }
  for (std::size_t at = 0; const Range& part : sharding.own()) {
    places_.push_back(at);
    at += part.size();
  }
}

std::span<float> State::weights() const {
  if (!engine_.is_plain()) throw InternalError("no whole master exists on this engine");
  return {reinterpret_cast<float*>(weights_.part(0).data()), sharding_.layout().size()};
}

std::span<const float> State::own(Kind kind, std::size_t bucket) const {
  const Range part = sharding_.own().at(bucket);
  switch (kind) {
    case Kind::master:
      if (engine_.is_plain()) return weights().subspan(part.begin, part.size());
      return master_.values().subspan(places_[bucket], part.size());
    case Kind::exp_avg:
      return exp_avg_.values().subspan(places_[bucket], part.size());
    case Kind::exp_avg_sq:
      return exp_avg_sq_.values().subspan(places_[bucket], part.size());
    case Kind::ema0:
    case Kind::ema1:
    case Kind::ema2:
    case Kind::ema3: {
      const auto number = static_cast<std::size_t>(kind) - static_cast<std::size_t>(Kind::ema0);
      return emas_.at(number).values().subspan(places_[bucket], part.size());
    }
  }
  throw InternalError("unknown buffer of a state");
}

std::span<float> State::own(Kind kind, std::size_t bucket) {
  const auto values = std::as_const(*this).own(kind, bucket);
  return {const_cast<float*>(values.data()), values.size()};  // of this object, which is not const
}

Parameters State::own_parameters(std::size_t bucket) {
  Parameters parameters{own(Kind::master, bucket), own(Kind::exp_avg, bucket),
                        own(Kind::exp_avg_sq, bucket), own(Kind::ema0, bucket)};
  for (const Kind kind : kinds().subspan(static_cast<std::size_t>(Kind::ema1))) {
    parameters.more_averages.push_back(own(kind, bucket));
  }
  return parameters;
}

mpi::Communicator node_of(const nn::Engine& engine, const mpi::Communicator& world,
                          const mpi::Communicator& node) {
  const auto card = std::int64_t{engine.on_card() ? 1 : 0};
  if (world.all_reduce(card, mpi::Reduce::min) != world.all_reduce(card, mpi::Reduce::max)) {
    throw ConfigurationError(
        "some ranks have a card and others none: compute.device=cuda names those without, "
        "compute.device=cpu leaves the cards alone");
  }
  return engine.is_plain() ? node.duplicate() : world.split(world.rank());
}

std::size_t bucket_bytes_of(const nn::Engine& engine) {
  return engine.on_card() ? std::size_t{32} << 20 : Sharding::kBucketBytes;
}

void start_fresh(State& state, const std::function<nn::Weights()>& load) {
  const auto& local = state.sharding().grid().local();
  const auto& own = state.sharding().own();
  if (local.rank() == 0) {
    nn::Weights weights = load();
    if (state.engine().is_plain()) {
      std::ranges::copy(weights.flat, state.weights().begin());
    } else {
      for (std::size_t bucket = 0; bucket < own.size(); ++bucket) {
        std::ranges::copy(std::span(weights.flat).subspan(own[bucket].begin, own[bucket].size()),
                          state.own(Kind::master, bucket).begin());
      }
    }
    state.null_text = std::move(weights.null_text);
  }
  local.broadcast(std::as_writable_bytes(std::span(state.null_text)), 0);
  state.fence();
  for (std::size_t bucket = 0; bucket < own.size(); ++bucket) {
    std::ranges::fill(state.own(Kind::exp_avg, bucket), 0.0F);
    std::ranges::fill(state.own(Kind::exp_avg_sq, bucket), 0.0F);
    for (const Kind kind : state.kinds().subspan(static_cast<std::size_t>(Kind::ema0))) {
      std::ranges::copy(state.own(Kind::master, bucket), state.own(kind, bucket).begin());
    }
  }
  state.counters = {};
  state.guard = {};
}

void check_equal(const State& state, std::span<const std::byte> weights) {
  const auto& across = state.sharding().grid().across();
  if (across.size() == 1) return;  // one buffer
  const auto hash = static_cast<std::int64_t>(xxh3_64(weights) >> 1);
  if (across.all_reduce(hash, mpi::Reduce::min) != across.all_reduce(hash, mpi::Reduce::max)) {
    throw InternalError("the ranks' weights have drifted apart at step " +
                        std::to_string(state.counters.step));
  }
}

}  // namespace evd::train
