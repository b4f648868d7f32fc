#include "mpi/shared_window.hpp"

#include <cstring>
#include <exception>
#include <vector>

#include "mpi/handle.hpp"

namespace evd::mpi {
namespace {

constexpr std::size_t kAlignment = 64;

std::byte* aligned(void* base) {
  const auto address = reinterpret_cast<std::uintptr_t>(base);
  return reinterpret_cast<std::byte*>((address + kAlignment - 1) / kAlignment * kAlignment);
}

}  // namespace

struct SharedWindow::State {
  MPI_Comm comm = MPI_COMM_NULL;
  MPI_Win window = MPI_WIN_NULL;
  std::vector<std::span<std::byte>> parts;

  ~State() {
    if (window == MPI_WIN_NULL || std::uncaught_exceptions() > 0) return;
    MPI_Win_unlock_all(window);
    MPI_Win_free(&window);
  }
};

SharedWindow::SharedWindow(const Communicator& node, std::size_t bytes)
    : state_(std::make_unique<State>()) {
  State& state = *state_;
  state.comm = node.state().comm;
  void* own = nullptr;
  check(MPI_Win_allocate_shared(static_cast<MPI_Aint>(bytes + kAlignment), 1, MPI_INFO_NULL,
                                state.comm, &own, &state.window),
        "MPI_Win_allocate_shared");
  check(MPI_Win_set_errhandler(state.window, MPI_ERRORS_RETURN), "MPI_Win_set_errhandler");
  // One access epoch for the window's whole life: the ranks order their work by fence().
  check(MPI_Win_lock_all(MPI_MODE_NOCHECK, state.window), "MPI_Win_lock_all");
  for (int rank = 0; rank < node.size(); ++rank) {
    MPI_Aint size = 0;
    int unit = 0;
    void* base = nullptr;
    check(MPI_Win_shared_query(state.window, rank, &size, &unit, &base), "MPI_Win_shared_query");
    state.parts.emplace_back(aligned(base), static_cast<std::size_t>(size) - kAlignment);
  }
  const auto mine = part(node.rank());
  std::memset(mine.data(), 0, mine.size());
  fence();
}

SharedWindow::~SharedWindow() = default;
SharedWindow::SharedWindow(SharedWindow&&) noexcept = default;
SharedWindow& SharedWindow::operator=(SharedWindow&&) noexcept = default;

std::span<std::byte> SharedWindow::part(int rank) const {
  return state_->parts.at(static_cast<std::size_t>(rank));
}

void SharedWindow::fence() const {
  check(MPI_Win_sync(state_->window), "MPI_Win_sync");
  check(MPI_Barrier(state_->comm), "MPI_Barrier");
  check(MPI_Win_sync(state_->window), "MPI_Win_sync");
}

}  // namespace evd::mpi
