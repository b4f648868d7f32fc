#include "teacher/caller.hpp"

#include "teacher/dispatcher.hpp"

namespace evd::teacher {

struct Caller::State {
  Dispatcher dispatcher;
};

Caller::Caller(const Setup& setup, Permits& permits, const Log& log)
    : state_(new State{{setup, permits, log}}) {}
Caller::~Caller() = default;

void Caller::submit(int service, Call call, std::function<void(Reply)> replied) {
  state_->dispatcher.submit(service, std::move(call), std::move(replied));
}
void Caller::step(int wait_ms) { state_->dispatcher.step(wait_ms); }
std::size_t Caller::pending() const { return state_->dispatcher.pending(); }
std::size_t Caller::held() const { return state_->dispatcher.held(); }
void Caller::stop() { state_->dispatcher.stop(); }
std::string Caller::trouble() const { return state_->dispatcher.trouble(); }

std::vector<std::string> Caller::services_down() const {
  return state_->dispatcher.services_down();
}
const std::vector<shard::Call>& Caller::calls() const { return state_->dispatcher.calls(); }
const Caller::JournalFailure& Caller::journal_failure() const {
  return state_->dispatcher.journal_failure();
}
std::vector<std::string> Caller::files() const { return state_->dispatcher.files(); }

}  // namespace evd::teacher
