#include "nn/operator_times.hpp"

#include <mutex>
#include <vector>

#include <ATen/record_function.h>

#include "core/clock.hpp"

namespace evd::nn {
namespace {

/// One operator that has begun and not ended.
struct Call {
  double begun_s = 0;
  double inner_s = 0;  // in operators that it called
};
thread_local std::vector<Call> calls;

}  // namespace

struct OperatorTimes::State {
  std::mutex mutex;
  std::map<std::string, double> seconds;
  at::CallbackHandle handle = 0;

  // The library takes plain functions, so they find their owner here. One at a time.
  static inline State* current = nullptr;

  static std::unique_ptr<at::ObserverContext> begin(const at::RecordFunction&) {
    calls.push_back({monotonic_s(), 0});
    return nullptr;
  }

  static void end(const at::RecordFunction& call, at::ObserverContext*) {
    if (calls.empty()) return;
    const double lasted_s = monotonic_s() - calls.back().begun_s;
    const double own_s = lasted_s - calls.back().inner_s;
    calls.pop_back();
    if (!calls.empty()) calls.back().inner_s += lasted_s;
    const std::lock_guard lock(current->mutex);
    current->seconds[call.name()] += own_s;
  }
};

OperatorTimes::OperatorTimes() : state_(std::make_unique<State>()) {
  State::current = state_.get();
  state_->handle = at::addGlobalCallback(
      at::RecordFunctionCallback(State::begin, State::end)
          .scopes({at::RecordScope::FUNCTION, at::RecordScope::BACKWARD_FUNCTION}));
}

OperatorTimes::~OperatorTimes() {
  at::removeCallback(state_->handle);
  State::current = nullptr;
}

std::map<std::string, double> OperatorTimes::seconds() const {
  const std::lock_guard lock(state_->mutex);
  return state_->seconds;
}

}  // namespace evd::nn
