#include "train/backprop.hpp"

#include <algorithm>

#include <ATen/TensorOperators.h>
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

at::Tensor view(const std::vector<float>& values, std::int64_t count, const nn::NetworkOptions& n) {
  // Only read: from_blob has no const form.
  return at::from_blob(const_cast<float*>(values.data()),
                       {count, n.channels, n.input_size, n.input_size}, at::kFloat);
}

}  // namespace

struct Backprop::State {
  State(const nn::Layout& layout_, std::span<float> weights, std::span<const float> null_text_,
        const Cut& cut_, Reducer& reducer_)
      : layout(layout_),
        null_text(null_text_.begin(), null_text_.end()),
        cut(cut_),
        reducer(reducer_),
        schedule(layout_.diffusion()),
        network(layout_, at::from_blob(weights.data(), {std::int64_t(weights.size())}, at::kFloat)),
        missing(cut_.count),
        seen(cut_.of.size()) {}

  /// Counts a bucket's parameters down and hands it over when the last one is done.
  struct Hook final : torch::autograd::PostAccumulateGradHook {
    Hook(State& state_, std::size_t index_) : state(state_), index(index_) {}
    void operator()(const torch::autograd::Variable&) override { state.finished(index); }
    State& state;
    std::size_t index;
  };

  void attach();
  void finished(std::size_t parameter);
  void check_all_finished() const;
  at::Tensor forward(const Part& part) const;

  nn::Layout layout;
  std::vector<float> null_text;
  Cut cut;
  Reducer& reducer;
  nn::Schedule schedule;
  nn::Network network;
  std::vector<std::size_t> missing;  // parameters still to come, per bucket
  std::vector<bool> seen;
};

void Backprop::State::attach() {
  network.require_gradients();
  for (std::size_t i = 0; i < network.parameters().size(); ++i) {
    const auto& parameter = network.parameters()[i];
    float* place = reducer.gradients().data() + layout.parameters()[i].offset;
    // A defined gradient is accumulated into in place, so it stays a part of the flat buffer.
    parameter.mutable_grad() = at::from_blob(place, parameter.sizes(), at::kFloat);
    torch::autograd::impl::set_post_acc_grad_hooks(parameter, std::make_unique<Hook>(*this, i));
  }
}

void Backprop::State::finished(std::size_t parameter) {
  seen[parameter] = true;
  const std::size_t bucket = cut.of[parameter];
  if (--missing[bucket] == 0) reducer.ready(bucket);
}

void Backprop::State::check_all_finished() const {
  const auto found = std::find(seen.begin(), seen.end(), false);
  if (found == seen.end()) return;
  const auto index = static_cast<std::size_t>(found - seen.begin());
  throw InternalError("no gradient came for " + layout.parameters()[index].name);
}

at::Tensor Backprop::State::forward(const Part& part) const {
  const auto& n = layout.network();
  const auto count = static_cast<std::int64_t>(part.size());
  const nn::Diffusion diffusion(schedule, layout.diffusion(), part.timesteps, at::kFloat);
  const at::Tensor pictures = view(part.pictures, count, n);
  const at::Tensor noise = view(part.noise, count, n);
  const auto text =
      nn::text_batch(part.texts, part.captions, null_text, n.caption_width, at::kFloat);
  const std::vector<double> timesteps(part.timesteps.begin(), part.timesteps.end());
  const at::Tensor t = at::from_blob(const_cast<double*>(timesteps.data()), {count}, at::kDouble);
  const at::Tensor output =
      network.forward(diffusion.noised(pictures, noise), t, network.keys_of(text));
  return diffusion.loss(output, pictures, noise);
}

Backprop::Backprop(const nn::Layout& layout, std::span<float> weights,
                   std::span<const float> null_text, const Cut& cut, Reducer& reducer)
    : state_(std::make_unique<State>(layout, weights, null_text, cut, reducer)) {
  state_->attach();
}

Backprop::~Backprop() = default;

Pass Backprop::run(const Part& part, std::size_t global_batch, bool wish_to_stop) {
  State& state = *state_;
  Pass pass;
  state.reducer.begin();
  state.missing = state.cut.count;
  std::fill(state.seen.begin(), state.seen.end(), false);
  const auto scalars = state.reducer.gradients().subspan(state.layout.size());
  scalars[kStop] = wish_to_stop ? 1.0F : 0.0F;

  const double begun_s = monotonic_s();
  at::Tensor loss;
  if (part.size() > 0) {
    const at::Tensor losses = state.forward(part);
    const float* values = losses.const_data_ptr<float>();
    pass.losses.assign(values, values + part.size());
    loss = losses.sum() / static_cast<double>(global_batch);
    scalars[kLoss] = loss.item<float>();
  }
  const double forward_s = monotonic_s();
  state.reducer.ready(0);
  if (part.size() > 0) {
    loss.backward();
    state.check_all_finished();
  } else {
    for (std::size_t bucket = 1; bucket < state.cut.buckets.size(); ++bucket) {
      state.reducer.ready(bucket);
    }
  }
  pass.forward_s = forward_s - begun_s;
  pass.backward_s = monotonic_s() - forward_s;
  return pass;
}

}  // namespace evd::train
