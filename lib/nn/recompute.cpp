#include "nn/recompute.hpp"

#include <memory>
#include <utility>

#include <ATen/core/grad_mode.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

namespace evd::nn {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

/// Keeps a function in a node's saved data, which holds nothing but values and such objects.
struct KeptStretch final : torch::CustomClassHolder {
  explicit KeptStretch(Stretch stretch_) : stretch(std::move(stretch_)) {}
  Stretch stretch;
};

struct Recomputed : Function<Recomputed> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& t0,
                            const at::Tensor& kv, const c10::intrusive_ptr<KeptStretch>& kept) {
    context->save_for_backward({x, t0, kv});
    context->saved_data["stretch"] = at::IValue::make_capsule(kept);
    return kept->stretch(x, t0, kv);  // nothing is recorded in here
  }

  static variable_list backward(AutogradContext* context, const variable_list& gradients) {
    const auto capsule = context->saved_data["stretch"].toCapsule();
    const auto& stretch = static_cast<const KeptStretch&>(*capsule).stretch;
    variable_list inputs;
    for (const auto& saved : context->get_saved_variables()) {
      inputs.push_back(saved.detach().requires_grad_(saved.requires_grad()));
    }
    const at::AutoGradMode record(true);
    const at::Tensor again = stretch(inputs[0], inputs[1], inputs[2]);
    torch::autograd::backward({again}, {gradients[0]});
    return {inputs[0].grad(), inputs[1].grad(), inputs[2].grad(), {}};
  }
};

}  // namespace

at::Tensor recomputed(Stretch stretch, const at::Tensor& x, const at::Tensor& t0,
                      const at::Tensor& kv) {
  return Recomputed::apply(x, t0, kv, c10::make_intrusive<KeptStretch>(std::move(stretch)));
}

}  // namespace evd::nn
