// 200 optimizer steps on the same samples, noise and timesteps as a PyTorch loop with diffusers'
// network (training_reference.py), by the parts that evd-train is made of.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <functional>
#include <map>
#include <vector>

#include <ATen/TensorOperators.h>
#include <ATen/ops/zeros.h>
#include <ATen/ops/zeros_like.h>
#include <gtest/gtest.h>

#include "data/stream.hpp"
#include "nn/diffusion.hpp"
#include "nn/network.hpp"
#include "nn/reference_network.hpp"
#include "nn/threads.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

constexpr std::int64_t kSteps = 200;
constexpr std::int64_t kBatch = 8;
constexpr double kClip = 0.7;
constexpr std::array<double, 2> kRates = {2e-5, 1e-3};

/// What is planted to see that the comparison notices it.
enum class Mistake : std::uint8_t { none, no_decay, larger_epsilon, late_warmup };

AdamW adamw_of(double rate, std::int64_t step, Mistake mistake) {
  constexpr std::int64_t kWarmup = 50;
  AdamW adamw;
  const std::int64_t late = mistake == Mistake::late_warmup ? 1 : 0;
  adamw.learning_rate = step < late ? 0 : warmed_up(rate, step - late, kWarmup);
  adamw.weight_decay = mistake == Mistake::no_decay ? 0 : 0.03;
  adamw.epsilon = mistake == Mistake::larger_epsilon ? 1e-8 : 1e-10;
  adamw.ema = 0.99;
  return adamw;
}

nn::Layout layout_of_the_script() {
  nn::NetworkOptions n;
  n.input_size = 8;
  n.channels = 4;
  n.patch = 2;
  n.width = 48;
  n.depth = 2;
  n.head_dim = 16;
  n.caption_width = 20;
  n.max_tokens = 7;
  n.qk_norm = nn::QkNorm::self_cross;
  nn::DiffusionOptions d;
  d.prediction = nn::Prediction::noise;
  d.learned_variance = true;
  return {n, d};
}

/// Losses of all steps, weights and average after the last.
struct Trained {
  std::vector<double> losses;
  at::Tensor weights;
  at::Tensor average;
};

/// The largest differences from what PyTorch has.
struct Difference {
  double loss = 0;
  double quotient = 0;  ///< |w - w_ref| / |w_ref - w_0| of a tensor
};

class Training : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    nn::use_threads(1);
    const auto world = mpi::Communicator::world();
    const std::string seed = world.broadcast(
        world.rank() == 0 ? std::to_string(nn::test::fresh_seed()) : std::string(), 0);
    run_ = new nn::test::ReferenceRun("../train/training_reference.py", {seed});
  }
  static void TearDownTestSuite() { delete run_; }

  static at::Tensor start(at::ScalarType dtype) {
    return nn::test::flat_of(nn::test::pixart_of(*run_, "w."), layout(), dtype);
  }
  static const nn::Layout& layout() {
    static const nn::Layout layout = layout_of_the_script();
    return layout;
  }
  /// (steps, batch, ...)
  static const at::Tensor& input(const std::string& name) {
    static std::map<std::string, at::Tensor> kept;
    auto& tensor = kept[name];
    if (!tensor.defined()) tensor = (*run_)["x." + name];
    return tensor;
  }

  static Difference difference(const Trained& ours, std::size_t rate, const std::string& bits) {
    const std::string prefix = std::to_string(rate) + "." + bits + ".";
    const at::Tensor wanted = (*run_)[prefix + "losses"];
    Difference worst;
    for (std::int64_t i = 0; i < kSteps; ++i) {
      const double error = std::abs(ours.losses[std::size_t(i)] - wanted[i].item<double>());
      worst.loss = std::max(worst.loss, error == error ? error : INFINITY);
    }
    const at::Tensor before = start(at::kDouble);
    for (const auto& [kind, all] :
         {std::pair("w.", ours.weights), std::pair("ema.", ours.average)}) {
      const at::Tensor theirs =
          nn::test::flat_of(nn::test::pixart_of(*run_, prefix + kind), layout(), at::kDouble);
      for (const auto& p : layout().parameters()) {
        const auto part = [&](const at::Tensor& flat) {
          return flat.to(at::kDouble).narrow(0, std::int64_t(p.offset), std::int64_t(p.count));
        };
        const double error = (part(all) - part(theirs)).norm().item<double>() /
                             (part(theirs) - part(before)).norm().item<double>();
        worst.quotient = std::max(worst.quotient, error == error ? error : INFINITY);
      }
    }
    return worst;
  }

  static Trained in_double(double rate, Mistake mistake);
  static Trained in_float(double rate);

  static inline nn::test::ReferenceRun* run_ = nullptr;
};

/// The plain path: ATen's operators in double, two micro-batches a step.
Trained Training::in_double(double rate, Mistake mistake) {
  constexpr std::int64_t kMicro = 4;
  at::Tensor weights = start(at::kDouble);
  at::Tensor average = weights.clone();
  at::Tensor first = at::zeros_like(weights);
  at::Tensor second = at::zeros_like(weights);
  at::Tensor gradient = at::zeros_like(weights);
  const auto values = [](at::Tensor& x) {
    return std::span(x.mutable_data_ptr<double>(), std::size_t(x.numel()));
  };
  nn::Network network(layout(), weights, nn::Kernels::composed);
  network.require_gradients();
  const nn::Schedule schedule(layout().diffusion());
  Trained trained;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    double total = 0;
    for (std::int64_t from = 0; from < kBatch; from += kMicro) {
      const auto part = [&](const std::string& name) {
        return input(name)[step].narrow(0, from, kMicro);
      };
      const at::Tensor t = part("t");
      const std::vector<int> timesteps(t.const_data_ptr<std::int64_t>(),
                                       t.const_data_ptr<std::int64_t>() + kMicro);
      const nn::Diffusion diffusion(schedule, layout().diffusion(), timesteps, at::kDouble);
      const at::Tensor z0 = part("z0").to(at::kDouble);
      const at::Tensor noise = part("noise").to(at::kDouble);
      const auto keys =
          network.keys_of(nn::test::packed(part("text").to(at::kDouble), part("mask")));
      const at::Tensor out = network.forward(diffusion.noised(z0, noise), t.to(at::kDouble), keys);
      const at::Tensor loss = diffusion.loss(out, z0, noise).sum() / double(kBatch);
      loss.backward();
      total += loss.item<double>();
    }
    trained.losses.push_back(total);
    for (std::size_t i = 0; i < network.parameters().size(); ++i) {
      const auto& p = layout().parameters()[i];
      at::Tensor& own = network.parameters()[i].mutable_grad();
      gradient.narrow(0, std::int64_t(p.offset), std::int64_t(p.count)).copy_(own.flatten());
      own.zero_();
    }
    const double norm = gradient.norm().item<double>();
    update(adamw_of(rate, step, mistake), step + 1,
           ParametersOf<double>{values(weights), values(first), values(second), values(average)},
           values(gradient), std::min(1.0, kClip / (norm + 1e-6)));
  }
  trained.weights = weights;
  trained.average = average;
  return trained;
}

/// One step's samples as evd-train hands them to its network.
Part part_of(const std::function<const at::Tensor&(const std::string&)>& input, std::int64_t step) {
  Part part;
  const auto floats = [&](const std::string& name) {
    const at::Tensor all = input(name)[step].contiguous();
    return std::vector<float>(all.const_data_ptr<float>(),
                              all.const_data_ptr<float>() + all.numel());
  };
  part.pictures = floats("z0");
  part.height = static_cast<int>(input("z0").size(-2));
  part.width = static_cast<int>(input("z0").size(-1));
  part.sizes_px.resize(2 * kBatch);  // of no use: the network has one aspect
  part.aspects.resize(kBatch);
  part.noise = floats("noise");
  const at::Tensor lengths = input("mask")[step].sum(1);
  for (std::int64_t i = 0; i < kBatch; ++i) {
    part.ids.emplace_back();
    part.timesteps.push_back(input("t")[step][i].item<int>());
    part.captions.push_back(nn::Caption::kept);
    const auto tokens = lengths[i].item<std::int64_t>();
    const at::Tensor text = input("text")[step][i].narrow(0, 0, tokens).contiguous();
    const float* values = text.const_data_ptr<float>();
    part.texts.push_back({{values, values + text.numel()}, static_cast<int>(tokens)});
  }
  return part;
}

/// The fused path: the trainer's network, exchange and optimizer, over all ranks of the test, each
/// of which takes two micro-batches.
Trained Training::in_float(double rate) {
  const auto world = mpi::Communicator::world();
  const auto node = world.node();
  const Sharding sharding(layout(), world, node, 1 << 16);
  State state(sharding);
  const at::Tensor before = start(at::kFloat);
  start_fresh(state, [&] {
    const float* values = before.const_data_ptr<float>();
    return nn::Weights{{values, values + before.numel()}, std::vector<float>(std::size_t(7 * 20))};
  });
  const auto exchange_of_all = make_exchange(state);
  Exchange& exchange = *exchange_of_all;
  Backprop backprop(sharding, state.null_text, exchange);
  const auto share = data::share_of(std::uint64_t(kBatch), world.rank(), world.size());
  Trained trained;
  for (std::int64_t step = 0; step < kSteps; ++step) {
    const auto pass = backprop.run(part_of(input, step).slice(share.begin, share.end),
                                   std::size_t(kBatch), (share.size() + 1) / 2);
    exchange.finish();
    const Sums sums = add_up(exchange, pass, std::size_t(kBatch), false, world);
    trained.losses.push_back(sums.loss);
    apply(adamw_of(rate, step, Mistake::none), state, exchange,
          clip_scale(sums.gradient_norm, kClip));
    exchange.share_weights();
  }
  const auto all_of = [&](Kind kind) {
    std::vector<double> values(layout().size());
    for (std::size_t bucket = 0; bucket < sharding.own().size(); ++bucket) {
      std::ranges::copy(state.own(kind, bucket),
                        values.begin() + std::ptrdiff_t(sharding.own()[bucket].begin));
    }
    world.all_reduce(values, mpi::Reduce::sum);
    at::Tensor all = at::zeros({std::int64_t(values.size())}, at::kFloat);
    std::ranges::copy(values, all.mutable_data_ptr<float>());
    return all;
  };
  trained.weights = all_of(Kind::master);
  trained.average = all_of(Kind::ema0);
  return trained;
}

TEST_F(Training, EqualsPyTorchsInDouble) {
  if (mpi::Communicator::world().rank() != 0) return;  // it takes no exchange
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    const auto worst = difference(in_double(kRates[i], Mistake::none), i, "64");
    std::printf("rate %g: losses %.1e, weights %.1e\n", kRates[i], worst.loss, worst.quotient);
    EXPECT_LT(worst.loss, 1e-9) << kRates[i];
    EXPECT_LT(worst.quotient, 1e-5) << kRates[i];
  }
}

TEST_F(Training, EqualsPyTorchsInFloat) {
  for (std::size_t i = 0; i < kRates.size(); ++i) {
    const auto worst = difference(in_float(kRates[i]), i, "32");
    std::printf("rate %g: losses %.1e, weights %.1e\n", kRates[i], worst.loss, worst.quotient);
    // A factor of AdamW that is rounded once too often shows here: it gave 5e-6.
    EXPECT_LT(worst.loss, 2e-6) << kRates[i];
    EXPECT_LT(worst.quotient, 2e-3) << kRates[i];
  }
}

TEST_F(Training, MistakesAreSeen) {
  if (mpi::Communicator::world().rank() != 0) return;  // it takes no exchange
  for (const auto mistake : {Mistake::no_decay, Mistake::larger_epsilon, Mistake::late_warmup}) {
    const auto worst = difference(in_double(kRates[0], mistake), 0, "64");
    std::printf("mistake %d: losses %.1e, weights %.1e\n", static_cast<int>(mistake), worst.loss,
                worst.quotient);
    EXPECT_GT(worst.loss, 1e-9) << static_cast<int>(mistake);
    EXPECT_GT(worst.quotient, 1e-5) << static_cast<int>(mistake);
  }
}

}  // namespace
}  // namespace evd::train
