#include "train/backprop.hpp"

#include <algorithm>
#include <array>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/from_blob.h>
#include <torch/csrc/autograd/function_hook.h>
#include <torch/csrc/autograd/variable.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "nn/diffusion.hpp"
#include "nn/network.hpp"
#include "nn/text_batch.hpp"

namespace evd::train {
namespace {

at::Tensor view(const std::vector<float>& values, at::IntArrayRef shape) {
  // Only read: from_blob has no const form.
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

/// A part where it is computed with.
struct Reads {
  nn::Diffusion diffusion;
  at::Tensor pictures;
  at::Tensor noise;
  at::Tensor timesteps;
  nn::TextKeys keys;
  nn::PictureShapes shapes;
};

}  // namespace

struct Backprop::State {
  State(const Sharding& sharding, std::span<const float> null_text_, Exchange& exchange_)
      : layout(sharding.layout()),
        null_text(null_text_.begin(), null_text_.end()),
        cut(sharding.cut()),
        exchange(exchange_),
        schedule(layout.diffusion()),
        network(layout, exchange.weights()),
        place(exchange.gradients().options()),
        missing(cut.count),
        seen(cut.of.size()) {}

  /// Counts a bucket's parameters down and hands it over when the last one is done.
  struct Hook final : torch::autograd::PostAccumulateGradHook {
    Hook(State& state_, std::size_t index_) : state(state_), index(index_) {}
    void operator()(const torch::autograd::Variable& parameter) override {
      state.keep(parameter, index);
      state.finished(index);
    }
    State& state;
    std::size_t index;
  };

  void attach();
  void keep(const at::Tensor& parameter, std::size_t index);
  void finished(std::size_t parameter);
  void check_all_finished() const;
  Reads reads(const Part& part) const;
  at::Tensor forward(const Part& part) const;

  void forward_and_backward(const Part& part, std::size_t global_batch, Pass& pass);

  const nn::Layout& layout;
  std::vector<float> null_text;
  const Cut& cut;
  Exchange& exchange;
  nn::Schedule schedule;
  nn::Network network;
  at::TensorOptions place;            // of gradients, and of what the network reads
  std::vector<at::Tensor> gradients;  // of each parameter, parts of the exchange's buffer
  std::vector<std::size_t> missing;   // parameters still to come, per bucket
  std::vector<bool> seen;
  std::function<void(Operation)> enters;
  bool is_last = true;  // of the micro-batches: gradients get their final values
};

void Backprop::State::attach() {
  network.require_gradients();
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const auto& parameter = network.parameters()[i];
    float* values = exchange.gradients().mutable_data_ptr<float>() + layout.parameters()[i].offset;
    gradients.push_back(at::from_blob(values, parameter.sizes(), place));
    // A defined gradient is accumulated into in place, so it stays a part of the flat buffer.
    if (parameter.scalar_type() == at::kFloat) parameter.mutable_grad() = gradients.back();
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<Hook>(*this, i));
  }
}

/// A gradient of another type cannot lie in the buffer itself: it is added there, and let go.
void Backprop::State::keep(const at::Tensor& parameter, std::size_t index) {
  if (parameter.scalar_type() == at::kFloat) return;
  const at::NoGradGuard no_gradients;
  gradients[index].add_(parameter.mutable_grad());
  parameter.mutable_grad().reset();
}

void Backprop::State::finished(std::size_t parameter) {
  if (!is_last) return;
  seen[parameter] = true;
  const std::size_t bucket = cut.of[parameter];
  if (--missing[bucket] == 0) exchange.ready(bucket);
}

void Backprop::State::check_all_finished() const {
  const auto found = std::find(seen.begin(), seen.end(), false);
  if (found == seen.end()) return;
  const auto index = static_cast<std::size_t>(found - seen.begin());
  throw InternalError("no gradient came for " + layout.parameters()[index].name);
}

Reads Backprop::State::reads(const Part& part) const {
  const auto& n = layout.network();
  const auto count = static_cast<std::int64_t>(part.size());
  const std::array<std::int64_t, 4> shape = {count, n.channels, part.height, part.width};
  const std::vector<double> timesteps(part.timesteps.begin(), part.timesteps.end());
  return {nn::Diffusion(schedule, layout.diffusion(), part.timesteps, place),
          view(part.pictures, shape).to(place),
          view(part.noise, shape).to(place),
          at::from_blob(const_cast<double*>(timesteps.data()), {count}, at::kDouble)
              .to(place.dtype(at::kDouble), false, true),
          network.states_of(
              nn::text_batch(part.texts, part.captions, null_text, n.caption_width, place)),
          {view(part.sizes_px, {count, 2}).to(place), view(part.aspects, {count}).to(place)}};
}

at::Tensor Backprop::State::forward(const Part& part) const {
  const Reads in = reads(part);
  const at::Tensor noised = in.diffusion.noised(in.pictures, in.noise);
  return in.diffusion.loss(network.forward(noised, in.timesteps, in.keys, in.shapes), in.pictures,
                           in.noise, part.error_weights);
}

void Backprop::State::forward_and_backward(const Part& part, std::size_t global_batch, Pass& pass) {
  if (enters) enters(Operation::forward);
  const double begun_s = monotonic_s();
  const at::Tensor losses = forward(part);
  const at::Tensor loss = losses.sum() / static_cast<double>(global_batch);
  const double forward_s = monotonic_s();
  if (enters) enters(Operation::backward);
  loss.backward();
  // Only now: until here a card was asked for everything without waiting.
  const at::Tensor found = losses.detach().cpu();
  const float* values = found.const_data_ptr<float>();
  pass.losses.insert(pass.losses.end(), values, values + part.size());
  pass.forward_s += forward_s - begun_s;
  pass.backward_s += monotonic_s() - forward_s;
}

Backprop::Backprop(const Sharding& sharding, std::span<const float> null_text, Exchange& exchange)
    : state_(std::make_unique<State>(sharding, null_text, exchange)) {
  state_->attach();
}

Backprop::~Backprop() = default;

void Backprop::recompute_blocks() { state_->network.recompute_blocks(); }

Pass Backprop::run(const Part& part, std::size_t global_batch, std::size_t micro_batch,
                   const std::function<void(Operation)>& enters) {
  State& state = *state_;
  state.enters = enters;
  Pass pass;
  state.exchange.begin();
  state.missing = state.cut.count;
  std::fill(state.seen.begin(), state.seen.end(), false);
  const std::size_t step = micro_batch == 0 ? part.size() : micro_batch;
  if (part.size() <= step) {
    if (part.size() > 0) state.forward_and_backward(part, global_batch, pass);
  } else {
    for (std::size_t begin = 0; begin < part.size(); begin += step) {
      const std::size_t end = std::min(begin + step, part.size());
      state.is_last = end == part.size();
      state.forward_and_backward(part.slice(begin, end), global_batch, pass);
    }
  }
  if (part.size() > 0) {
    state.check_all_finished();
  } else {
    for (std::size_t bucket = 0; bucket < state.cut.buckets.size(); ++bucket) {
      state.exchange.ready(bucket);
    }
  }
  return pass;
}

std::vector<double> Backprop::attention_logits(const Part& part) const {
  const at::NoGradGuard no_gradients;
  const Reads in = state_->reads(part);
  std::vector<double> largest;
  for (const auto& block : state_->network.attention_logits(
           in.diffusion.noised(in.pictures, in.noise), in.timesteps, in.keys, in.shapes)) {
    largest.push_back(block.self);
    largest.push_back(block.cross);
  }
  return largest;
}

std::vector<float> Backprop::losses(const Part& part) const {
  const at::NoGradGuard no_gradients;
  const at::Tensor losses = state_->forward(part).cpu().contiguous();
  const float* values = losses.const_data_ptr<float>();
  return {values, values + losses.numel()};
}

}  // namespace evd::train
