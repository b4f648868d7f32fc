#include "mpi/request.hpp"

#include <exception>
#include <utility>

#include "mpi/handle.hpp"

namespace evd::mpi {
namespace {

struct Finish {
  void operator()(Request::State* state) const {
    if (state != nullptr && state->request != MPI_REQUEST_NULL && std::uncaught_exceptions() == 0)
      MPI_Wait(&state->request, MPI_STATUS_IGNORE);
  }
};

}  // namespace

Request::Request() = default;
Request::Request(std::unique_ptr<State> state) : state_(std::move(state)) {}
Request::Request(Request&&) noexcept = default;
Request::~Request() { Finish()(state_.get()); }

Request& Request::operator=(Request&& other) noexcept {
  Finish()(state_.get());
  state_ = std::move(other.state_);
  return *this;
}

bool Request::test() {
  if (!state_) return true;
  int done = 0;
  check(MPI_Test(&state_->request, &done, MPI_STATUS_IGNORE), "MPI_Test");
  if (done != 0) state_.reset();
  return done != 0;
}

void Request::wait() {
  if (!state_) return;
  check(MPI_Wait(&state_->request, MPI_STATUS_IGNORE), "MPI_Wait");
  state_.reset();
}

}  // namespace evd::mpi
