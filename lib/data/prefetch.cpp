#include "data/prefetch.hpp"

#include <algorithm>
#include <condition_variable>
#include <exception>
#include <map>
#include <mutex>
#include <thread>

#include "core/error.hpp"

namespace evd::data {

struct Prefetch::State {
  struct Outcome {
    Batch batch;
    std::exception_ptr error;
  };

  State(const Samples& the_samples, Order the_order, const Setup& the_setup)
      : samples(the_samples), order(std::move(the_order)), setup(the_setup) {}

  const Samples& samples;
  Order order;
  const Setup setup;
  std::mutex mutex;
  std::condition_variable changed;
  std::uint64_t next_to_prepare = 0;
  std::uint64_t next_to_take = 0;
  bool ending = false;
  std::map<std::uint64_t, Outcome> ready;
  std::vector<std::jthread> workers;

  void work();
  void fill(Batch& batch) const;
};

// The order is taken under the lock (it is cheap and cached), the pictures outside it.
void Prefetch::State::work() {
  std::unique_lock lock(mutex);
  for (;;) {
    changed.wait(lock, [this] {
      return ending || next_to_prepare >= setup.end_step ||
             next_to_prepare < next_to_take + static_cast<std::uint64_t>(setup.ahead);
    });
    if (ending || next_to_prepare >= setup.end_step) return;
    Outcome outcome;
    Batch& batch = outcome.batch;
    batch.step = next_to_prepare++;
    const Share share = share_of(order.batch(), setup.rank, setup.world_size);
    batch.first = share.begin;
    const Order::Turn turn = order.turn(batch.step);
    batch.bucket = turn.bucket;
    batch.indices = order.samples(turn, share);
    lock.unlock();
    try {
      fill(batch);
    } catch (...) {
      outcome.error = std::current_exception();
    }
    lock.lock();
    ready.emplace(batch.step, std::move(outcome));
    changed.notify_all();
  }
}

void Prefetch::State::fill(Batch& batch) const {
  for (const auto index : batch.indices) {
    batch.samples.push_back(samples.load(index));
    const Loaded& first = batch.samples.front();
    const Loaded& last = batch.samples.back();
    if (first.height != last.height || first.width != last.width)
      throw InternalError("samples of a bucket have different sizes");
  }
}

Prefetch::Prefetch(const Samples& samples, Order order, const Setup& setup)
    : state_(std::make_unique<State>(samples, std::move(order), setup)) {
  state_->next_to_prepare = state_->next_to_take = setup.first_step;
  for (int i = 0; i < std::max(1, setup.threads); ++i)
    state_->workers.emplace_back([state = state_.get()] { state->work(); });
}

Prefetch::~Prefetch() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->changed.notify_all();
}

Batch Prefetch::next() {
  std::unique_lock lock(state_->mutex);
  const std::uint64_t step = state_->next_to_take;
  if (step >= state_->setup.end_step)
    throw InternalError("batch of step " + std::to_string(step) + " asked for after the last one");
  state_->changed.wait(lock, [&] { return state_->ready.contains(step); });
  State::Outcome outcome = std::move(state_->ready.extract(step).mapped());
  ++state_->next_to_take;
  state_->changed.notify_all();
  if (outcome.error) std::rethrow_exception(outcome.error);
  return std::move(outcome.batch);
}

}  // namespace evd::data
