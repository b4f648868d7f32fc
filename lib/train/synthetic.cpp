#include "train/synthetic.hpp"

#include <algorithm>
#include <array>
#include <future>
#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "run/options.hpp"
#include "train/backprop.hpp"
#include "train/memory_check.hpp"
#include "train/peak_memory.hpp"
#include "train/rates.hpp"
#include "train/step.hpp"

namespace evd::train {
namespace {

constexpr std::uint64_t kShortestText = 3;

run::Config config_of(const SyntheticArguments& given) {
  run::Config config;
  if (!given.config_file.empty()) {
    config = run::parse_config(fs::read_text(given.config_file), given.config_file);
  }
  run::apply_settings(config, given.settings);
  return config;
}

std::int64_t tokens_in(const Part& part) {
  std::int64_t tokens = 0;
  for (const auto& text : part.texts) tokens += text.tokens;
  return tokens;
}

/// Trains, and gives the line that rank 0 prints.
std::string work(const run::Config& config, int steps, const mpi::Communicator& world,
                 const Log& log) {
  const mpi::Communicator node = world.node();
  nn::use_threads(run::cores_per_rank(node));
  const nn::Engine engine = nn::choose_engine(config.compute, node.rank());
  const nn::Layout layout(config.network, config.diffusion);
  const auto& options = config.train;
  JobShape job = job_of(config, world.size(), node.size(), engine);
  job.snapshot_bytes = 0;  // it writes no checkpoints
  job.validation_bytes = 0;
  const MemoryPlan plan(layout, job);
  check_memory(plan, node.size(), memory_limits(engine));
  world.barrier();  // nobody takes memory before all have looked
  const PeakMemory memory;
  const Sharding sharding(layout, world, node_of(engine, world, node), bucket_bytes_of(engine));
  State state(sharding, engine, options.more_decays());
  start_fresh(state, [&] { return nn::start_weights(layout, config.campaign.seed); });
  const auto exchange_of_all = make_exchange(state);
  Exchange& exchange = *exchange_of_all;
  log.info("computes on " + nn::device_name(engine) + ", " + std::string(name(engine.precision)) +
           "; exchanges over " + exchange.name());
  Backprop backprop(sharding, state.null_text, exchange);
  if (options.recompute) backprop.recompute_blocks();
  RateMeter meter(config.network, config.diffusion, options.batch,
                  1e12 * options.peak_tflops * world.size());
  double loss = 0;
  const auto part_of = [&](int step) {
    return synthetic_part(config, step, world.rank(), world.size());
  };
  // Beside a card's work the next one is drawn; on a processor it would take its time away.
  const auto how = engine.on_card() ? std::launch::async : std::launch::deferred;
  auto next = std::async(how, part_of, 0);
  for (int step = 0; step < steps; ++step) {
    const Part part = next.get();
    next = std::async(how, part_of, step + 1);
    const Pass pass = backprop.run(part, static_cast<std::size_t>(options.batch),
                                   static_cast<std::size_t>(options.micro_batch));
    exchange.finish();
    const Sums sums = add_up(exchange, pass, static_cast<std::size_t>(options.batch), false, world);
    apply(
        {warmed_up(options.lr, state.counters.updates, options.warmup_steps), options.weight_decay,
         options.beta1, options.beta2, options.epsilon, options.ema, options.more_decays()},
        state, exchange, clip_scale(sums.gradient_norm, options.clip));
    exchange.share_weights();
    loss = sums.loss;
    meter.step(monotonic_s(), world.all_reduce(tokens_in(part), mpi::Reduce::sum));
    log.info(format("step %d: loss %.4f, ", step, loss) + to_text(meter.rates()));
  }
  const double measured = world.all_reduce(memory.bytes(), mpi::Reduce::sum);
  const Rates rates = meter.rates();
  return format(
      "{\"steps\": %d, \"ranks\": %d, \"batch\": %d, \"loss\": %.5f, \"ms\": %.2f, "
      "\"images_per_s\": %.3f, \"tokens_per_s\": %.1f, \"gflop_per_s\": %.2f, \"mfu\": %.4f, "
      "\"planned_bytes\": %.0f, \"peak_pss_bytes\": %.0f}",
      steps, world.size(), options.batch, loss,
      rates.images_per_s > 0 ? 1e3 * options.batch / rates.images_per_s : 0.0, rates.images_per_s,
      rates.tokens_per_s, rates.flops_per_s / 1e9, rates.utilisation,
      plan.node_bytes(node.size()) * world.size() / node.size(), measured);
}

}  // namespace

Part synthetic_part(const run::Config& config, std::int64_t step, int rank, int ranks) {
  const auto& n = config.network;
  const auto batch = static_cast<std::int64_t>(config.train.batch);
  const auto values = static_cast<std::size_t>(n.channels) *
                      static_cast<std::size_t>(n.input_size) *
                      static_cast<std::size_t>(n.input_size);
  const auto longest = static_cast<std::uint64_t>(n.max_tokens);
  const std::uint64_t shortest = std::min(kShortestText, longest);
  Part part;
  part.height = part.width = n.input_size;
  for (std::int64_t place = batch * rank / ranks; place < batch * (rank + 1) / ranks; ++place) {
    const auto number = static_cast<std::uint64_t>(step * batch + place);
    const auto draw = [&](Purpose purpose) {
      return Random(config.campaign.seed, purpose, 0, number);
    };
    std::array<std::uint8_t, 16> id{};
    for (int i = 0; i < 8; ++i) id[15 - i] = static_cast<std::uint8_t>(number >> (8 * i));
    part.ids.emplace_back(id);
    Random features = draw(Purpose::test);
    const std::size_t before = part.pictures.size();
    part.pictures.resize(before + values);
    features.fill_normal(std::span(part.pictures).subspan(before));
    part.noise.resize(before + values);
    draw(Purpose::noise).fill_normal(std::span(part.noise).subspan(before));
    part.timesteps.push_back(static_cast<int>(
        draw(Purpose::timestep).below(static_cast<std::uint64_t>(config.diffusion.timesteps))));
    part.captions.push_back(draw(Purpose::caption_drop).uniform() < config.train.caption_drop
                                ? nn::Caption::dropped
                                : nn::Caption::kept);
    nn::TextStates text;
    text.tokens = static_cast<int>(shortest + features.below(longest - shortest + 1));
    text.values.resize(static_cast<std::size_t>(text.tokens) *
                       static_cast<std::size_t>(n.caption_width));
    features.fill_normal(text.values);
    part.texts.push_back(std::move(text));
    part.sizes_px.insert(part.sizes_px.end(), 2, static_cast<float>(config.side_px()));
    part.aspects.push_back(1.0F);
  }
  return part;
}

bool wants_synthetic(int argc, char** argv) {
  bool wanted = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return false;
    wanted = wanted || argument == "--synthetic";
  }
  return wanted;
}

void add_synthetic_options(CLI::App& app, SyntheticArguments& given) {
  constexpr const char* kGroup = "Training on made-up features, without a campaign";
  app.add_flag("--synthetic")
      ->description("Train on made-up features (with --config and --set), and say how fast it is")
      ->group(kGroup);
  app.add_option("--steps", given.steps, "Steps of it")
      ->check(CLI::Range(2, 100000000))
      ->capture_default_str()
      ->type_name("N")
      ->group(kGroup);
}

int synthetic_program(int argc, char** argv) {
  mpi::Environment environment(argc, argv);
  const auto world = mpi::Communicator::world();
  const Log log("train", world.rank());
  CLI::App app("Trains on made-up features, without a campaign", "evd-train");
  SyntheticArguments given;
  app.add_option("--config", given.config_file, "Configuration file; the defaults without it")
      ->type_name("FILE");
  app.add_option("--set", given.settings, "Another value of a key")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_synthetic_options(app, given);
  const auto speaks = world.rank() == 0 ? run::Speaks::yes : run::Speaks::no;
  if (const auto code = run::parse_command_line(app, argc, argv, speaks)) return *code;
  try {
    const std::string line = work(config_of(given), given.steps, world, log);
    if (world.rank() == 0) std::cout << line << std::endl;
    return static_cast<int>(ExitCode::done);
  } catch (const std::exception& error) {
    log.error(error.what());
    const int code = static_cast<int>(exit_code(error));
    if (world.size() > 1) world.abort(code);  // the others may wait for this rank
    return code;
  }
}

}  // namespace evd::train
