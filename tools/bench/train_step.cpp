// A training step on made-up samples, from the batch to the averaged weights, with the parts that
// evd-train is made of. Rank 0 prints one line a step, "step BEGUN ENDED" in seconds of the
// monotonic clock, so that a driver that stops and continues the program knows which steps ran
// whole.
#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "nn/operator_times.hpp"
#include "nn/text_encoder.hpp"
#include "nn/threads.hpp"
#include "run/config.hpp"
#include "train/checkpoint.hpp"
#include "train/step.hpp"

namespace {

using namespace evd;

constexpr std::size_t kSamples = 256;

/// What is trained, and on what.
struct Work {
  nn::NetworkOptions network;
  nn::DiffusionOptions diffusion;
  std::size_t batch_per_rank = 32;
  int shortest_text = 6;
  int longest_text = 12;
};

Work work_of(std::string_view name) {
  Work work;
  if (name != "33m") return work;
  auto& n = work.network;
  n.input_size = 32;
  n.channels = 4;
  n.patch = 2;
  n.width = 384;
  n.depth = 12;
  n.head_dim = 64;
  n.caption_width = 4096;
  n.max_tokens = 120;
  work.diffusion.prediction = nn::Prediction::noise;
  work.batch_per_rank = 4;
  work.shortest_text = 3;
  work.longest_text = 120;
  return work;
}

struct Samples {
  explicit Samples(const Work& work) {
    Random random(1, Purpose::test);
    const auto& n = work.network;
    values = std::size_t(n.channels) * std::size_t(n.input_size) * std::size_t(n.input_size);
    pictures.resize(kSamples * values);
    random.fill_normal(pictures);
    const auto lengths = std::uint64_t(work.longest_text - work.shortest_text + 1);
    for (std::size_t i = 0; i < kSamples; ++i) {
      std::array<std::uint8_t, 16> id{};
      for (auto& byte : id) byte = static_cast<std::uint8_t>(random.below(256));
      ids.emplace_back(id);
      std::string prompt;
      const auto words = std::uint64_t(work.shortest_text) + random.below(lengths);
      for (std::uint64_t w = 0; w < words; ++w) {
        prompt += "word" + std::to_string(random.below(64)) + " ";
      }
      prompts.push_back(prompt);
    }
  }
  std::size_t values = 0;
  std::vector<float> pictures;
  std::vector<SampleId> ids;
  std::vector<std::string> prompts;
};

/// The shares of a step, in seconds summed over steps.
using Shares = std::map<std::string, double>;

std::string kind_of(std::string_view name) {
  const auto has = [&](std::string_view part) { return name.find(part) != std::string_view::npos; };
  if (has("ttention")) return "attention";
  if (has("mm") || has("linear") || has("Linear")) return "GEMM";
  return "element-wise and rest";
}

class Steps {
 public:
  Steps(const Work& work, const mpi::Communicator& world)
      : work_(work),
        world_(world),
        node_(world.node()),
        layout_(work.network, work.diffusion),
        samples_(work),
        sharding_(layout_, world_, node_),
        state_(fresh_state(sharding_)),
        exchange_of_all_(train::make_exchange(state_)),
        exchange_(*exchange_of_all_),
        backprop_(sharding_, state_.null_text, exchange_),
        encoder_(work.network.caption_width, work.network.max_tokens) {}

  void run(std::uint64_t step) {
    double last_s = monotonic_s();
    const auto lap = [&](const char* what) {
      const double now_s = monotonic_s();
      shares[what] += now_s - std::exchange(last_s, now_s);
    };
    const std::size_t batch = work_.batch_per_rank * std::size_t(world_.size());
    const train::Part part = part_of(step, batch);
    lap("data");
    const train::Pass pass = backprop_.run(part, batch);
    lap("forward and backward");
    exchange_.finish();
    const auto sums = train::add_up(exchange_, pass, batch, false, world_);
    lap("waiting and communication after backward");
    const train::AdamW adamw{options_.lr,    options_.weight_decay, options_.beta1,
                             options_.beta2, options_.epsilon,      options_.ema};
    train::apply(adamw, state_, exchange_, train::clip_scale(sums.gradient_norm, options_.clip));
    lap("optimizer");
    exchange_.share_weights();
    lap("waiting for the others' weights");
  }

  Shares shares;
  [[nodiscard]] const train::State& state() const { return state_; }

 private:
  static train::State fresh_state(const train::Sharding& sharding) {
    train::State state(sharding);
    train::start_fresh(state, [&] { return nn::start_weights(sharding.layout(), 1); });
    return state;
  }
  train::Part part_of(std::uint64_t step, std::size_t batch) {
    const train::Noising noising{1, layout_.diffusion().timesteps, options_.caption_drop};
    std::vector<train::Entry> entries;
    std::vector<data::Loaded> samples;
    for (std::size_t i = 0; i < work_.batch_per_rank; ++i) {
      const std::uint64_t number =
          step * batch + std::size_t(world_.rank()) * work_.batch_per_rank + i;
      const std::size_t at = number % kSamples;
      entries.push_back({samples_.ids[at], samples_.prompts[at], number});
      const auto begin = samples_.pictures.begin() + std::ptrdiff_t(at * samples_.values);
      data::Loaded sample;
      sample.height = sample.width = layout_.network().input_size;
      sample.picture.assign(begin, begin + std::ptrdiff_t(samples_.values));
      samples.push_back(std::move(sample));
    }
    return train::make_part(noising, entries, std::move(samples), encoder_);
  }

  Work work_;
  const mpi::Communicator& world_;
  mpi::Communicator node_;
  nn::Layout layout_;
  Samples samples_;
  run::TrainOptions options_;
  train::Sharding sharding_;
  train::State state_;
  std::unique_ptr<train::Exchange> exchange_of_all_;
  train::Exchange& exchange_;
  train::Backprop backprop_;
  nn::TextEncoder encoder_;
};

void print_shares(Steps& steps, std::uint64_t first, std::uint64_t count, int rank) {
  steps.shares.clear();
  const double begun_s = monotonic_s();
  std::map<std::string, double> operators;
  {
    nn::OperatorTimes times;
    for (std::uint64_t i = 0; i < count; ++i) steps.run(first + i);
    operators = times.seconds();
  }
  const double all_s = monotonic_s() - begun_s;
  if (rank != 0) return;
  Shares shares;
  double named_s = 0;
  for (const auto& [name, seconds] : operators) {
    shares[kind_of(name)] += seconds;
    named_s += seconds;
  }
  shares["communication and bookkeeping within backward"] =
      steps.shares["forward and backward"] - named_s;
  for (const auto& [name, seconds] : steps.shares) {
    if (name != "forward and backward") shares[name] = seconds;
  }
  for (const auto& [name, seconds] : shares) {
    std::printf("share %5.1f %% %8.2f ms  %s\n", 100 * seconds / all_s,
                1e3 * seconds / double(count), name.c_str());
  }
  for (const auto& [name, seconds] : operators) {
    if (seconds < 0.01 * all_s) continue;
    std::printf("  of it %5.1f %%  %s\n", 100 * seconds / all_s, name.c_str());
  }
}

/// Wall seconds of this rank's steps, processor seconds of all ranks and their threads.
struct Cost {
  double wall_s = 0;
  double processor_s = 0;
};

Cost now(const mpi::Communicator& world) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) { return double(t.tv_sec) + 1e-6 * double(t.tv_usec); };
  return {monotonic_s(),
          world.all_reduce(seconds(usage.ru_utime) + seconds(usage.ru_stime), mpi::Reduce::sum)};
}

/// 100 steps without and 100 with a checkpoint in turns, so often.
void print_checkpoints(Steps& steps, std::uint64_t turns, const std::filesystem::path& folder,
                       const mpi::Communicator& world) {
  constexpr std::uint64_t kSteps = 100;
  const Log log("train_step", world.rank());
  train::Checkpoints::Setup setup;
  setup.directory = folder;
  setup.header = {std::string(32, 'a'), 0, "train", ""};
  train::Checkpoints checkpoints(steps.state().sharding(), setup, log);
  std::array<std::vector<Cost>, 2> costs;  // without, with
  for (std::uint64_t turn = 0; turn < 2 * turns; ++turn) {
    const Cost begun = now(world);
    if (turn % 2 == 1) checkpoints.begin(steps.state(), {});
    for (std::uint64_t i = 0; i < kSteps; ++i) {
      steps.run(turn * kSteps + i);
      checkpoints.poll();
    }
    const Cost ended = now(world);
    costs[turn % 2].push_back({ended.wall_s - begun.wall_s, ended.processor_s - begun.processor_s});
  }
  if (world.rank() != 0) return;
  const auto median = [](std::vector<Cost> all, auto member) {
    std::ranges::sort(all, {}, member);
    return all[all.size() / 2].*member;
  };
  for (const auto& [what, member] :
       {std::pair("wall", &Cost::wall_s), std::pair("processor", &Cost::processor_s)}) {
    const double without = median(costs[0], member);
    const double with = median(costs[1], member);
    std::printf("%s: 100 steps %.3f s, with a checkpoint %.3f s: %+.1f %%\n", what, without, with,
                100 * (with / without - 1));
  }
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Environment mpi(argc, argv);
  const auto world = mpi::Communicator::world();
  const std::string network = argc > 1 ? argv[1] : "";
  const std::string mode = argc > 2 ? argv[2] : "";
  const std::uint64_t count = argc > 3 ? std::strtoull(argv[3], nullptr, 10) : 0;
  if ((network != "rehearsal" && network != "33m") || count < 1) {
    std::fprintf(stderr,
                 "usage: train_step rehearsal|33m times|shares STEPS\n"
                 "       train_step rehearsal|33m checkpoints TURNS FOLDER\n");
    return 64;
  }
  nn::use_threads(1);
  Steps steps(work_of(network), world);
  if (mode == "checkpoints" && argc > 4) {
    print_checkpoints(steps, count, argv[4], world);
    return 0;
  }
  if (mode == "shares") {
    for (std::uint64_t i = 0; i < 5; ++i) steps.run(i);
    print_shares(steps, 5, count, world.rank());
    return 0;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    const double begun_s = monotonic_s();
    steps.run(i);
    if (world.rank() == 0) {
      std::printf("step %.6f %.6f\n", begun_s, monotonic_s());
      std::fflush(stdout);
    }
  }
  return 0;
}
