#include "train/stage.hpp"

#include <algorithm>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "data/held_out.hpp"
#include "data/members.hpp"
#include "data/order.hpp"
#include "data/pictures.hpp"
#include "data/targets.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "shard/catalog.hpp"
#include "train/bookkeeper.hpp"
#include "train/checkpoint.hpp"
#include "train/features.hpp"
#include "train/inputs.hpp"
#include "train/memory_check.hpp"
#include "train/profile.hpp"
#include "train/trainer.hpp"
#include "train/validation_setup.hpp"
#include "train/watchdog.hpp"

namespace evd::train {
namespace {

/// Fills the state with what this life goes on from; on rank 0 the rows of the round so far.
RoundRows begin(const run::Context& context, const Inputs& inputs, State& state,
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
  return std::move(resumed->rows);
}

/// What the bits of a step depend on beside state and configuration.
Environment environment_of(const run::Context& context, int ranks_per_node, int threads,
                           const nn::Engine& engine) {
  return {
      {"ranks", std::to_string(context.world.size())},
      {"ranks_per_node", std::to_string(ranks_per_node)},
      {"threads", std::to_string(threads)},
      {"micro_batch", std::to_string(context.config.train.micro_batch)},
      {"device", nn::device_name(engine)},
      {"deterministic", engine.on_card() && !context.config.compute.deterministic ? "no" : "yes"},
      {"precision", std::string(name(engine.precision))},
      {"instruction_set", nn::instruction_set()},
      {"torch", nn::torch_version()}};
}

run::Result result_of(const run::Context& context, const State& state, const Bookkeeper& books,
                      std::span<const int> turns, std::vector<shard::FileEntry> files) {
  const auto& steps = books.rows().steps;
  const auto held_out = std::count(turns.begin(), turns.end(), data::kHeldOut);
  const auto members = static_cast<std::int64_t>(turns.size());
  const auto skipped = std::count_if(steps.begin(), steps.end(),
                                     [](const shard::Step& step) { return step.skipped; });
  run::Result result;
  result.files = std::move(files);
  result.counts.done = static_cast<std::int64_t>(steps.size());
  result.tallies = {
      {"steps", static_cast<std::int64_t>(steps.size())},
      {"skipped", skipped},
      {"skipped_for_good", static_cast<std::int64_t>(state.guard.skipped.size())},
      {"rolled_back", books.times_gone_back()},
      {"parameters", static_cast<std::int64_t>(state.sharding().layout().trained())},
      {"set_size", members},
      {"held_out", held_out},
      {"images", static_cast<std::int64_t>(steps.size()) * context.config.train.batch},
      {"campaign_steps", state.counters.step}};
  const auto& times = books.times();
  result.seconds = {{"data", times.data_s},
                    {"forward", times.forward_s},
                    {"backward", times.backward_s},
                    {"reduce", times.reduce_s},
                    {"optimizer", times.optimizer_s},
                    {"checkpoint", books.checkpoint_s()},
                    {"validation", books.validation_s()}};
  // Mean of the last tenth: one step alone says little.
  const std::size_t tail = std::max<std::size_t>(1, steps.size() / 10);
  double loss = 0;
  double counted = 0;
  for (std::size_t i = steps.size() - tail; i < steps.size(); ++i) {
    if (steps[i].skipped) continue;
    loss += double{steps[i].loss};
    counted += 1;
  }
  result.closing_line = format(
      "%zu steps on %lld samples%s, loss %.4f at the end%s", steps.size(),
      static_cast<long long>(members - held_out),
      held_out > 0 ? format(" (%lld more held out)", static_cast<long long>(held_out)).c_str() : "",
      loss / std::max(1.0, counted),
      skipped > 0 ? format(", %lld steps left out", static_cast<long long>(skipped)).c_str() : "");
  return result;
}

std::filesystem::path profile_file(const run::Context& context) {
  return context.campaign.root() / "logs" / "profile" /
         format("train-%04d-attempt%03d-rank%05d.json", context.self.round, context.attempt,
                context.world.rank());
}

/// What steps are fed with: features where there are encoders, pictures and prompts elsewhere.
class Source {
 public:
  Source(const run::Config& config, const shard::Catalog& catalog,
         std::span<const data::Member> members, const Features& features)
      : targets_(catalog, members, config.side_px()),
        pictures_(members.size(), config.side_px(),
                  [this](std::size_t index) { return targets_.load(index); }),
        files_(features.files) {
    const auto& n = config.network;
    if (!features.files.empty()) {
      features_.emplace(files_, features.places, n.caption_width, n.channels, &pictures_);
    }
    if (features.null_text.is_known()) {
      null_text_ = text(features.null_text, n.caption_width);
    }
  }
  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  [[nodiscard]] const data::Samples& samples() const {
    if (features_) return *features_;
    return pictures_;
  }
  [[nodiscard]] const std::optional<nn::TextStates>& null_text() const { return null_text_; }
  /// States of the prompts at rank, rank + ranks, ..., and of the empty text; null where there is
  /// no T5.
  [[nodiscard]] std::shared_ptr<const nn::Texts> texts_of(const std::vector<std::string>& prompts,
                                                          const Features& features, int channels,
                                                          const mpi::Communicator& world) const {
    if (features.prompts.empty()) return nullptr;
    nn::KnownTexts::States states;
    if (null_text_) states[""] = *null_text_;
    for (auto i = static_cast<std::size_t>(world.rank()); i < prompts.size();
         i += static_cast<std::size_t>(world.size())) {
      states[prompts[i]] = text(features.prompts[i], channels);
    }
    return std::make_shared<const nn::KnownTexts>(channels, std::move(states));
  }

 private:
  [[nodiscard]] nn::TextStates text(const data::FeaturePlace& place, int channels) const {
    auto text = files_.text(place, channels);
    return {std::move(text.states), text.tokens};
  }

  data::Targets targets_;
  data::Pictures pictures_;
  data::FeatureFiles files_;
  std::optional<data::FeatureSamples> features_;
  std::optional<nn::TextStates> null_text_;
};

/// Adds what the result tells of its features: files, where each one lies, what was read of others.
void tell_features(const run::Context& context, Features& features, run::Result& result) {
  for (const auto& [name, count] : features.tallies) result.tallies[name] = count;
  if (features.files.empty()) return;
  result.files.insert(result.files.end(), features.own_files.begin(), features.own_files.end());
  result.files.push_back(shard::write_table<shard::FeatureUse>(
      context.directory / "feature-uses.h5", context.header(), features.uses));
  result.input_files = std::move(features.input_files);
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

run::Result run_stage(run::Context& context, const StageWishes& wishes) {
  const auto& config = context.config;
  if (!config.has_vae() && config.network.channels != 3) {
    throw ConfigurationError(
        "network.channels: pictures have 3 channels (latents need vae.folder)");
  }
  // ---- what is read
  const double begun_s = monotonic_s();
  const auto watchdog = watchdog_of(context);
  Activity activity;
  if (watchdog) activity.add(*watchdog);
  const std::optional<StepRange> range =
      wishes.profile.empty() ? std::nullopt : std::optional(parse_step_range(wishes.profile));
  const mpi::Communicator node = context.world.node();
  const int threads = run::cores_per_rank(node);
  nn::use_threads(threads);
  const nn::Engine engine = nn::choose_engine(config.compute, node.rank());
  context.log.info("computes on " + nn::device_name(engine) + ", " +
                   std::string(name(engine.precision)));
  if (!engine.on_card() && !engine.is_plain() && context.world.rank() == 0) {
    context.log.warning("there is no card: compute.precision=float32 is faster on most processors");
  }
  const nn::Layout layout(config.network, config.diffusion);
  const JobShape job = job_of(config, context.world.size(), node.size(), engine);
  check_memory(MemoryPlan(layout, job), node.size(), memory_limits(engine));
  context.world.barrier();  // nobody takes memory before all have looked
  const Sharding sharding(layout, context.world, node_of(engine, context.world, node),
                          bucket_bytes_of(engine));
  const Inputs inputs = find_inputs(context);
  const auto members = data::read_members(inputs.set_file);
  const shard::Catalog catalog(context.campaign.root());
  const auto prompts = validation_prompts(context);
  // Encoders are in memory in here alone.
  Features features = prepare_features(context, node, members, prompts.texts, catalog, activity);
  nn::release_cached(engine);
  activity.enter(Operation::load, 0);
  const double prepared_s = monotonic_s();
  const Source source(config, catalog, members, features);
  Checkpoints checkpoints(sharding,
                          {context.directory, inputs.key, context.header(), config.train.keep,
                           static_cast<std::size_t>(config.train.snapshot_mib) << 20,
                           environment_of(context, node.size(), threads, engine),
                           Pieces::kPieceElements, 1 + config.train.more_decays().size()},
                          context.log);
  const auto turns = data::without_held_out(features.buckets.of, members,
                                            config.train.held_out_share, config.campaign.seed);
  const auto validation = make_validation(
      context, members, prompts,
      source.texts_of(prompts.texts, features, config.network.caption_width, context.world),
      threads, engine);
  State state(sharding, engine, config.train.more_decays());
  auto rows = begin(context, inputs, state, checkpoints);
  const double loaded_s = monotonic_s();

  // ---- training
  std::optional<Profile> profile;
  if (range) {
    profile.emplace(*range, state.counters.step - state.counters.round_step, context.world.rank(),
                    profile_file(context), context.log);
    activity.add(*profile);
  }
  Bookkeeper books(context, checkpoints, state, std::move(rows),
                   context.world.rank() == 0 ? LossGroups(members, features.buckets) : LossGroups(),
                   activity);
  const Round round{context.self.round,
                    config.campaign.seed,
                    config.train,
                    members,
                    source.samples(),
                    features.buckets,
                    turns,
                    config.has_vae() ? config.vae.scale : 1.0,
                    source.null_text(),
                    activity,
                    validation.get(),
                    [&](const std::optional<Validated>& found) { return books.looked(found); }};
  const auto train = [&] {
    if (validation) validation->begin(books.last_validated());
    return train_round(round, state, context.stop, context.log,
                       [&](const Told& told) { return books.after(told); });
  };
  RoundEnd end = train();
  for (; end == RoundEnd::lost; end = train()) {
    books.go_back([&] { start(state, context, inputs); });
  }
  const double trained_s = monotonic_s();
  if (profile) profile->finish();
  activity.enter(Operation::publish, state.counters.step);
  if (end == RoundEnd::stopped) {  // before the last step, or in the validation behind it
    throw Stopped(format("train stopped at step %lld of %d, all saved; start it again",
                         static_cast<long long>(state.counters.round_step),
                         config.train.steps_per_round));
  }

  // ---- what is published
  auto files = checkpoints.finish(state, books.rows());
  if (context.world.rank() != 0) return {};
  auto result = result_of(context, state, books, turns, std::move(files));
  tell_features(context, features, result);
  result.seconds["features"] = prepared_s - begun_s;
  result.seconds["load"] = loaded_s - prepared_s;
  result.seconds["training"] = trained_s - loaded_s;
  result.seconds["publish"] = monotonic_s() - trained_s;
  return result;
}

}  // namespace evd::train
