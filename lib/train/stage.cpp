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

/// Rank 0 decides where to go on from, all ranks get it.
Resumed begin(const run::Context& context, const Inputs& inputs, const nn::Layout& layout,
              Checkpoints& checkpoints) {
  Resumed begun{State(layout), {}, {}};
  begun.state.null_text.resize(static_cast<std::size_t>(layout.network().max_tokens) *
                               static_cast<std::size_t>(layout.network().caption_width));
  if (context.world.rank() == 0) {
    if (auto resumed = checkpoints.newest()) {
      begun = std::move(*resumed);
      context.log.info(format("goes on at step %lld of %d (%s)",
                              static_cast<long long>(begun.state.round_step),
                              context.config.train.steps_per_round, begun.from.filename().c_str()));
    } else {
      begun.state = start_state(context, inputs, layout);
    }
  }
  broadcast(begun.state, context.world);
  return begun;
}

void add(Times& sum, const Times& more) {
  sum.data_s += more.data_s;
  sum.forward_s += more.forward_s;
  sum.backward_s += more.backward_s;
  sum.reduce_s += more.reduce_s;
  sum.optimizer_s += more.optimizer_s;
}

/// Keeps rank 0's books: steps, progress, resume states.
class Bookkeeper {
 public:
  Bookkeeper(run::Context& context, Checkpoints& checkpoints, Resumed& begun,
             const Activity& activity)
      : context_(context),
        checkpoints_(checkpoints),
        activity_(activity),
        state_(begun.state),
        steps_(std::move(begun.steps)) {
    context_.progress.begin("steps", context_.config.train.steps_per_round);
    context_.progress.update(state_.round_step);
  }

  /// After each step, on every rank; false = stop here (saved).
  bool after(const Told& told) {
    add(times_, told.times);
    const auto& options = context_.config.train;
    const bool ends = state_.round_step == options.steps_per_round;
    const bool is_due = told.stop || state_.round_step % options.checkpoint_every == 0;
    if (context_.world.rank() == 0) {
      steps_.push_back(told.step);
      show(told.step);
      if (is_due && !ends) save();
    }
    return !told.stop || ends;
  }

  [[nodiscard]] const std::vector<shard::Step>& steps() const { return steps_; }
  [[nodiscard]] const Times& times() const { return times_; }
  [[nodiscard]] double checkpoint_s() const { return checkpoint_s_; }

 private:
  void show(const shard::Step& step) {
    ++done_here_;
    const double rate = static_cast<double>(done_here_) * context_.config.train.batch /
                        std::max(1e-9, monotonic_s() - begun_s_);
    context_.progress.update(state_.round_step, step.skipped ? std::string("not finite: left out")
                                                             : format("loss %.4f, %.0f images/s",
                                                                      double{step.loss}, rate));
  }

  void save() {
    const double begun_s = monotonic_s();
    activity_.enter(Operation::checkpoint, state_.step);
    checkpoints_.save(state_, steps_);
    checkpoint_s_ += monotonic_s() - begun_s;
  }

  run::Context& context_;
  Checkpoints& checkpoints_;
  const Activity& activity_;
  State& state_;
  std::vector<shard::Step> steps_;
  Times times_;
  double checkpoint_s_ = 0;
  std::int64_t done_here_ = 0;
  double begun_s_ = monotonic_s();
};

run::Result result_of(const run::Context& context, const State& state, const nn::Layout& layout,
                      const Bookkeeper& books, std::size_t members,
                      std::vector<shard::FileEntry> files) {
  const auto& steps = books.steps();
  const auto skipped = std::count_if(steps.begin(), steps.end(),
                                     [](const shard::Step& step) { return step.skipped; });
  run::Result result;
  result.files = std::move(files);
  result.counts.done = static_cast<std::int64_t>(steps.size());
  result.tallies = {
      {"steps", static_cast<std::int64_t>(steps.size())},
      {"skipped", skipped},
      {"parameters", static_cast<std::int64_t>(layout.trained())},
      {"set_size", static_cast<std::int64_t>(members)},
      {"images", static_cast<std::int64_t>(steps.size()) * context.config.train.batch},
      {"campaign_steps", state.step}};
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
  nn::use_threads(run::cores_per_rank(node));
  const nn::Layout layout(config.network, config.diffusion);
  const Inputs inputs = find_inputs(context);
  const auto members = data::read_members(inputs.set_file);
  const shard::Catalog catalog(context.campaign.root());
  const data::Targets targets(catalog, members, config.network.input_size);
  const data::Pictures pictures(members.size(), config.network.input_size,
                                [&](std::size_t index) { return targets.load(index); });
  Checkpoints checkpoints(context.directory, layout, inputs.key, context.header(),
                          config.train.keep, context.log);
  Resumed begun = begin(context, inputs, layout, checkpoints);
  State& state = begun.state;
  const double loaded_s = monotonic_s();

  // ---- training
  Bookkeeper books(context, checkpoints, begun, activity);
  const Round round{
      context.self.round, config.campaign.seed, config.train, members, pictures, activity};
  train_round(round, layout, state, context.world, node, context.stop, context.log,
              [&](const Told& told) { return books.after(told); });
  const double trained_s = monotonic_s();
  activity.enter(Operation::publish, state.step);
  check_equal(state, context.world);
  if (state.round_step < config.train.steps_per_round) {
    throw Stopped(format("train stopped at step %lld of %d, all saved; start it again",
                         static_cast<long long>(state.round_step), config.train.steps_per_round));
  }

  // ---- what is published
  if (context.world.rank() != 0) return {};
  auto result = result_of(context, state, layout, books, members.size(),
                          checkpoints.finish(state, books.steps()));
  result.seconds["load"] = loaded_s - begun_s;
  result.seconds["training"] = trained_s - loaded_s;
  result.seconds["publish"] = monotonic_s() - trained_s;
  return result;
}

}  // namespace evd::train
