#include "mpi/communicator.hpp"

#include <cstdlib>
#include <exception>
#include <utility>

#include "mpi/handle.hpp"

namespace evd::mpi {

Communicator::State::State(MPI_Comm handle, bool own) : comm(handle), owned(own) {
  check(MPI_Comm_set_errhandler(comm, MPI_ERRORS_RETURN), "MPI_Comm_set_errhandler");
  check(MPI_Comm_rank(comm, &rank), "MPI_Comm_rank");
  check(MPI_Comm_size(comm, &size), "MPI_Comm_size");
}

Communicator::State::~State() {
  if (std::uncaught_exceptions() > 0) {
    // MPI may still read the buffers, and freeing is collective: leave both to the process's end.
    static_cast<void>(new std::list<PendingSend>(std::move(sends)));
    return;
  }
  for (auto& send : sends) MPI_Wait(&send.request, MPI_STATUS_IGNORE);
  if (owned) MPI_Comm_free(&comm);
}

Communicator::Communicator(std::unique_ptr<State> state) : state_(std::move(state)) {}
Communicator::~Communicator() = default;
Communicator::Communicator(Communicator&&) noexcept = default;
Communicator& Communicator::operator=(Communicator&&) noexcept = default;

Communicator Communicator::world() {
  return Communicator(std::make_unique<State>(MPI_COMM_WORLD, false));
}

int Communicator::rank() const { return state_->rank; }
int Communicator::size() const { return state_->size; }

Communicator Communicator::node() const {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split_type(state_->comm, MPI_COMM_TYPE_SHARED, rank(), MPI_INFO_NULL, &comm),
        "MPI_Comm_split_type");
  return Communicator(std::make_unique<State>(comm, true));
}

Communicator Communicator::duplicate() const {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_dup(state_->comm, &comm), "MPI_Comm_dup");
  return Communicator(std::make_unique<State>(comm, true));
}

Communicator Communicator::split(int color) const {
  MPI_Comm comm = MPI_COMM_NULL;
  check(MPI_Comm_split(state_->comm, color, rank(), &comm), "MPI_Comm_split");
  return Communicator(std::make_unique<State>(comm, true));
}

void Communicator::abort(int exit_code) const {
  MPI_Abort(state_->comm, exit_code);
  std::_Exit(exit_code);
}

}  // namespace evd::mpi
