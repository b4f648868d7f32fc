// PixArt-XL/2 in float against diffusers (xl2.py): started by tools/bench/xl2, since it takes
// minutes and gigabytes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include <ATen/TensorOperators.h>

#include "core/clock.hpp"
#include "nn/network.hpp"
#include "nn/reference_network.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn {
namespace {

Layout layout_of(int depth, int side) {
  NetworkOptions n;
  n.input_size = side;
  n.channels = 4;
  n.patch = 2;
  n.width = 1152;
  n.head_dim = 72;
  n.depth = depth;
  n.caption_width = 4096;
  n.max_tokens = 120;
  n.qk_norm = QkNorm::self_cross;
  DiffusionOptions d;
  d.prediction = Prediction::noise;
  d.learned_variance = true;
  return {n, d};
}

double largest(const at::Tensor& x) { return x.abs().max().item<double>(); }

int compare(const std::string& seed, int depth, int side) {
  const test::ReferenceRun run("xl2.py", {seed, std::to_string(depth), std::to_string(side)}, 3000);
  const Layout layout = layout_of(depth, side);
  Network network(layout, test::flat_of(test::pixart_of(run, "0.w."), layout, at::kFloat));
  network.require_gradients();
  const double begun_s = monotonic_s();
  const at::Tensor out = network.forward(
      run["0.x.z"], run["0.x.t"], network.keys_of(test::packed(run["0.x.text"], run["0.x.mask"])));
  (out * run["0.x.mix"]).sum().backward();
  const double seconds = monotonic_s() - begun_s;

  const auto wanted = test::pixart_of(run, "0.g32.");
  double highest = 0;
  for (const auto& [name, tensor] : wanted.tensors()) {
    highest = std::max(highest, largest(view_of(tensor)));
  }
  double worst = 0;
  std::string worst_name;
  for (std::size_t i = 0; i < layout.parameters().size(); ++i) {
    const auto& p = layout.parameters()[i];
    const at::Tensor theirs = view_of(wanted.at(p.name, p.shape));
    // As in the small ones' test: a gradient that is the small difference of large ones has the
    // rounding of those.
    const double allowed = largest(theirs) + 2e-3 * highest;
    const double error = largest(network.parameters()[i].grad() - theirs) / allowed;
    if (error > worst) worst_name = p.name;
    worst = std::max(worst, error);
  }
  const double output_error = test::error_of(out, run["0.out32"]);
  std::printf(
      "%zu parameters, depth %d, %d x %d tokens: outputs %.1e (limit 3e-6), gradients "
      "%.1e (limit 5e-5; %s), %.0f s forward and backward of 2 pictures\n",
      layout.trained(), depth, side / 2, side / 2, output_error, worst, worst_name.c_str(),
      seconds);
  return output_error <= 3e-6 && worst <= 5e-5 ? 0 : 1;
}

}  // namespace
}  // namespace evd::nn

int main(int argc, char** argv) {
  if (argc != 4) {
    std::fprintf(stderr, "usage: nn_xl2 SEED DEPTH SIDE\n");
    return 64;
  }
  return evd::nn::compare(argv[1], std::atoi(argv[2]), std::atoi(argv[3]));
}
