#include "train/bookkeeper.hpp"

#include <algorithm>
#include <iterator>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/publish.hpp"
#include "train/validation.hpp"
#include "train/validation_setup.hpp"
#include "train/visits.hpp"

namespace evd::train {
namespace {

void add(Times& sum, const Times& more) {
  sum.data_s += more.data_s;
  sum.forward_s += more.forward_s;
  sum.backward_s += more.backward_s;
  sum.reduce_s += more.reduce_s;
  sum.optimizer_s += more.optimizer_s;
}

std::string listed(const std::vector<std::int64_t>& steps) {
  std::vector<std::string> words;
  for (const auto step : steps) words.push_back(std::to_string(step));
  return join(words, ", ");
}

/// Over all timesteps.
double mean_loss(std::span<const shard::Validation> rows, bool averaged) {
  double sum = 0;
  double count = 0;
  for (const auto& row : rows) {
    if (row.averaged != averaged) continue;
    sum += double{row.loss};
    count += 1;
  }
  return sum / std::max(1.0, count);
}

std::unique_ptr<EventCurves> curves_of(const run::Context& context, const State& state) {
  if (context.world.rank() != 0) return nullptr;
  return std::make_unique<EventCurves>(EventCurves::folder_in(context.campaign.root()), context.job,
                                       state.counters.step, context.log);
}

}  // namespace

Bookkeeper::Bookkeeper(run::Context& context, Checkpoints& checkpoints, State& state,
                       RoundRows rows, LossGroups groups, const Activity& activity)
    : context_(context),
      checkpoints_(checkpoints),
      activity_(activity),
      state_(state),
      rows_(std::move(rows)),
      groups_(std::move(groups)),
      meter_(context.config.network, context.config.diffusion, context.config.train.batch,
             1e12 * context.config.train.peak_tflops * context.world.size()),
      curves_(curves_of(context, state)) {
  context_.progress.begin("steps", context_.config.train.steps_per_round);
  context_.progress.update(state_.counters.round_step);
}

bool Bookkeeper::after(const Told& told) {
  add(times_, told.times);
  const auto& options = context_.config.train;
  const bool ends = state_.counters.round_step == options.steps_per_round;
  if (context_.world.rank() == 0) {
    rows_.steps.push_back(told.step);
    rows_.visits.insert(rows_.visits.end(), told.visits.begin(), told.visits.end());
    rows_.blocks.insert(rows_.blocks.end(), told.blocks.begin(), told.blocks.end());
    show(told);
  }
  checkpoints_.poll();
  if (ends) return true;
  activity_.enter(Operation::checkpoint, state_.counters.step);
  const bool is_due = told.stop || state_.counters.round_step % options.checkpoint_every == 0;
  // A life that goes on from here does not write what was before.
  if (is_due && curves_) curves_->flush();
  if (told.stop) {
    checkpoints_.save(state_, rows_);
  } else if (is_due) {
    checkpoints_.begin(state_, rows_);
  }
  return !told.stop;
}

void Bookkeeper::show(const Told& told) {
  meter_.step(monotonic_s() - validation_s_, told.text_tokens);
  const Rates rates = meter_.rates();
  context_.progress.update(state_.counters.round_step,
                           told.step.skipped
                               ? std::string("left out")
                               : format("loss %.4f, ", double{told.step.loss}) + to_text(rates));
  curves_->step(told.step, rates);
  curves_->losses(told.step.step,
                  loss_by_timestep(told.visits, context_.config.diffusion.timesteps));
  curves_->losses(told.step.step, groups_.means(told.visits));
  curves_->blocks(told.blocks);
}

bool Bookkeeper::looked(const std::optional<Validated>& found) {
  if (!found) {
    activity_.enter(Operation::checkpoint, state_.counters.step);
    checkpoints_.save(state_, rows_);
    return false;
  }
  validation_s_ += found->seconds;
  if (context_.world.rank() == 0) keep(*found);
  return true;
}

std::int64_t Bookkeeper::last_validated() const {
  const std::int64_t own = rows_.validations.empty() ? -1 : rows_.validations.back().step;
  return context_.world.all_reduce(own, mpi::Reduce::max);  // rank 0's: only it has rows
}

void Bookkeeper::keep(const Validated& found) {
  rows_.validations.insert(rows_.validations.end(), found.rows.begin(), found.rows.end());
  if (!found.rows.empty()) {
    const double trained = mean_loss(found.rows, false);
    const double averaged = mean_loss(found.rows, true);
    curves_->validation(state_.counters.step, trained, averaged);
    context_.log.info(
        format("after %lld steps: loss on %d held-out samples %.4f, of the averaged weights %.4f",
               static_cast<long long>(state_.counters.step), found.rows.front().samples, trained,
               averaged));
  }
  if (!found.sheet.png.empty()) keep_sheet(found.sheet);
}

// For looking at: a disk that refuses it costs no training.
void Bookkeeper::keep_sheet(const Sheet& sheet) {
  curves_->pictures(state_.counters.step, {sheet.width_px, sheet.height_px, sheet.png});
  try {
    const auto file = sheet_file(context_.campaign.root(), state_.counters.step);
    fs::make_directory(file.parent_path());
    fs::publish(file, Bytes(sheet.png));
  } catch (const IoError& error) {
    context_.log.warning(std::string(error.what()) + "; the contact sheet is left out");
  }
}

void Bookkeeper::go_back(const std::function<void()>& start) {
  const auto lost = state_.guard.in_row;
  auto skipped = state_.guard.skipped;
  const std::string what = format(
      "%zu steps in a row were left out, up to step %lld: loss or gradient was not finite, "
      "or a spike",
      lost.size(), static_cast<long long>(lost.back()));
  if (static_cast<std::int64_t>(skipped.size()) >=
      kMostTimes * (context_.config.train.max_skipped + 1)) {
    throw DataError(what + " (train.lr or the weights it started from are the usual reasons; " +
                    std::to_string(skipped.size()) +
                    " other steps were left out before). The last good weights are kept");
  }
  activity_.enter(Operation::checkpoint, state_.counters.step);
  auto resumed =
      checkpoints_.roll_back(state_, state_.counters.updates - context_.config.train.max_skipped);
  if (!resumed) start();
  rows_ = resumed ? std::move(resumed->rows) : RoundRows{};
  skipped.insert(skipped.end(), lost.begin(), lost.end());
  std::ranges::sort(skipped);
  skipped.erase(std::ranges::unique(skipped).begin(), skipped.end());
  state_.guard.skipped = std::move(skipped);
  state_.guard.in_row.clear();
  ++times_gone_back_;
  curves_ = curves_of(context_, state_);
  if (context_.world.rank() != 0) return;
  remove_sheets_after(context_.campaign.root(), state_.counters.step);
  context_.log.warning(format(
      "%s; training goes back to step %lld of the round, and from now on "
      "without the steps %s",
      what.c_str(), static_cast<long long>(state_.counters.round_step), listed(lost).c_str()));
}

}  // namespace evd::train
