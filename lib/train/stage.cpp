#include "train/stage.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "data/members.hpp"
#include "data/pictures.hpp"
#include "data/targets.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "shard/catalog.hpp"
#include "train/checkpoint.hpp"
#include "train/inputs.hpp"
#include "train/trainer.hpp"
#include "train/watchdog.hpp"

namespace evd::train {
namespace {

/// Fills the state with what this life goes on from; on rank 0 the steps of the round so far.
std::vector<shard::Step> begin(const run::Context& context, const Inputs& inputs, State& state,
                               Checkpoints& checkpoints) {
  auto resumed = checkpoints.newest(state);
  if (!resumed) {
    start(state, context, inputs);
    return {};
  }
  if (context.world.rank() == 0) {
    context.log.info(
        format("goes on at step %lld of %d (%s)", static_cast<long long>(state.counters.round_step),
               context.config.train.steps_per_round, resumed->from.filename().c_str()));
  }
  return std::move(resumed->steps);
}

/// What the bits of a step depend on beside state and configuration.
Environment environment_of(const run::Context& context, const RankGrid& grid, int threads) {
  return {{"ranks", std::to_string(grid.world().size())},
          {"ranks_per_node", std::to_string(grid.local().size())},
          {"threads", std::to_string(threads)},
          {"micro_batch", std::to_string(context.config.train.micro_batch)},
          {"device", "cpu"},
          {"instruction_set", nn::instruction_set()},
          {"torch", nn::torch_version()}};
}

void add(Times& sum, const Times& more) {
  sum.data_s += more.data_s;
  sum.forward_s += more.forward_s;
  sum.backward_s += more.backward_s;
  sum.reduce_s += more.reduce_s;
  sum.optimizer_s += more.optimizer_s;
}

/// Keeps rank 0's books: steps, progress, when a checkpoint is due.
class Bookkeeper {
 public:
  Bookkeeper(run::Context& context, Checkpoints& checkpoints, const State& state,
             std::vector<shard::Step> steps, const Activity& activity)
      : context_(context),
        checkpoints_(checkpoints),
        activity_(activity),
        state_(state),
        steps_(std::move(steps)) {
    context_.progress.begin("steps", context_.config.train.steps_per_round);
    context_.progress.update(state_.counters.round_step);
  }

  /// After each step, on every rank; false = stop here (saved).
  bool after(const Told& told) {
    add(times_, told.times);
    const auto& options = context_.config.train;
    const bool ends = state_.counters.round_step == options.steps_per_round;
    if (context_.world.rank() == 0) {
      steps_.push_back(told.step);
      show(told.step);
    }
    checkpoints_.poll();
    if (ends) return true;
    activity_.enter(Operation::checkpoint, state_.counters.step);
    if (told.stop) {
      checkpoints_.save(state_, steps_);
    } else if (state_.counters.round_step % options.checkpoint_every == 0) {
      checkpoints_.begin(state_, steps_);
    }
    return !told.stop;
  }

  [[nodiscard]] const std::vector<shard::Step>& steps() const { return steps_; }
  [[nodiscard]] const Times& times() const { return times_; }
  [[nodiscard]] double checkpoint_s() const { return checkpoints_.pause_s(); }

 private:
  void show(const shard::Step& step) {
    ++done_here_;
    const double rate = static_cast<double>(done_here_) * context_.config.train.batch /
                        std::max(1e-9, monotonic_s() - begun_s_);
    context_.progress.update(state_.counters.round_step,
                             step.skipped
                                 ? std::string("not finite: left out")
                                 : format("loss %.4f, %.0f images/s", double{step.loss}, rate));
  }

  run::Context& context_;
  Checkpoints& checkpoints_;
  const Activity& activity_;
  const State& state_;
  std::vector<shard::Step> steps_;
  Times times_;
  std::int64_t done_here_ = 0;
  double begun_s_ = monotonic_s();
};

run::Result result_of(const run::Context& context, const State& state, const Bookkeeper& books,
                      std::size_t members, std::vector<shard::FileEntry> files) {
  const auto& steps = books.steps();
  const auto skipped = std::count_if(steps.begin(), steps.end(),
                                     [](const shard::Step& step) { return step.skipped; });
  run::Result result;
  result.files = std::move(files);
  result.counts.done = static_cast<std::int64_t>(steps.size());
  result.tallies = {
      {"steps", static_cast<std::int64_t>(steps.size())},
      {"skipped", skipped},
      {"parameters", static_cast<std::int64_t>(state.sharding().layout().trained())},
      {"set_size", static_cast<std::int64_t>(members)},
      {"images", static_cast<std::int64_t>(steps.size()) * context.config.train.batch},
      {"campaign_steps", state.counters.step}};
  const auto& times = books.times();
  result.seconds = {{"data", times.data_s},           {"forward", times.forward_s},
                    {"backward", times.backward_s},   {"reduce", times.reduce_s},
                    {"optimizer", times.optimizer_s}, {"checkpoint", books.checkpoint_s()}};
  // Mean of the last tenth: one step alone says little.
  const std::size_t tail = std::max<std::size_t>(1, steps.size() / 10);
  double loss = 0;
  for (std::size_t i = steps.size() - tail; i < steps.size(); ++i) loss += steps[i].loss;
  result.closing_line = format(
      "%zu steps on %zu samples, loss %.4f at the end%s", steps.size(), members,
      loss / static_cast<double>(tail),
      skipped > 0 ? format(", %lld steps left out", static_cast<long long>(skipped)).c_str() : "");
  return result;
}

/// Nothing when the configuration wants none.
std::unique_ptr<Watchdog> watchdog_of(const run::Context& context) {
  const auto& options = context.config.train;
  if (options.step_limit_s == 0) return nullptr;
  // Short limits are for trying it out: their board moves faster.
  const double beat_s = std::min(5.0, options.step_limit_s / 10);
  return std::make_unique<Watchdog>(
      Watchdog::Setup{context.directory, context.attempt, context.world.rank(),
                      context.world.size(), HangLimits(options.step_limit_s, options.phase_limit_s),
                      beat_s},
      context.log);
}

}  // namespace

run::Result run_stage(run::Context& context) {
  const auto& config = context.config;
  if (config.network.channels != 3) {
    throw ConfigurationError("network.channels: pictures have 3 channels (there is no VAE yet)");
  }
  // ---- what is read
  const double begun_s = monotonic_s();
  const auto watchdog = watchdog_of(context);
  Activity activity;
  if (watchdog) activity.add(*watchdog);
  const mpi::Communicator node = context.world.node();
  const int threads = run::cores_per_rank(node);
  nn::use_threads(threads);
  const nn::Layout layout(config.network, config.diffusion);
  const Sharding sharding(layout, context.world, node);
  const Inputs inputs = find_inputs(context);
  const auto members = data::read_members(inputs.set_file);
  const shard::Catalog catalog(context.campaign.root());
  const data::Targets targets(catalog, members, config.network.input_size);
  const data::Pictures pictures(members.size(), config.network.input_size,
                                [&](std::size_t index) { return targets.load(index); });
  Checkpoints checkpoints(sharding,
                          {context.directory, inputs.key, context.header(), config.train.keep,
                           static_cast<std::size_t>(config.train.snapshot_mib) << 20,
                           environment_of(context, sharding.grid(), threads)},
                          context.log);
  State state(sharding);
  auto steps = begin(context, inputs, state, checkpoints);
  const double loaded_s = monotonic_s();

  // ---- training
  Bookkeeper books(context, checkpoints, state, std::move(steps), activity);
  const Round round{
      context.self.round, config.campaign.seed, config.train, members, pictures, activity};
  train_round(round, state, context.stop, context.log,
              [&](const Told& told) { return books.after(told); });
  const double trained_s = monotonic_s();
  activity.enter(Operation::publish, state.counters.step);
  check_equal(state);
  if (state.counters.round_step < config.train.steps_per_round) {
    throw Stopped(format("train stopped at step %lld of %d, all saved; start it again",
                         static_cast<long long>(state.counters.round_step),
                         config.train.steps_per_round));
  }

  // ---- what is published
  auto files = checkpoints.finish(state, books.steps());
  if (context.world.rank() != 0) return {};
  auto result = result_of(context, state, books, members.size(), std::move(files));
  result.seconds["load"] = loaded_s - begun_s;
  result.seconds["training"] = trained_s - loaded_s;
  result.seconds["publish"] = monotonic_s() - trained_s;
  return result;
}

}  // namespace evd::train
