// Rank 1 throws while the others wait in a collective. What main does is what every program does:
// print one line, end the whole job with the error's code.
#include <cstdio>
#include <cstring>
#include <vector>

#include "core/error.hpp"
#include "mpi/communicator.hpp"
#include "mpi/shared_window.hpp"

namespace {

void work(const evd::mpi::Communicator& world, const char* where) {
  auto messages = world.duplicate();
  const auto node = world.node();
  const evd::mpi::SharedWindow window(node, 64);
  const std::vector<float> values(1'000'000, 1.0F);
  std::vector<int> counts(static_cast<std::size_t>(world.size()), 0);
  counts[0] = static_cast<int>(values.size());
  std::vector<float> own(world.rank() == 0 ? values.size() : 0);
  const auto request = world.start_reduce_scatter_sum(values, counts, own);
  // Nobody takes it: the throwing rank must not wait for that.
  messages.send(0, 1, std::vector<std::byte>(1'000'000));
  if (world.rank() == 1) throw evd::DataError("set.h5: /prompt is damaged");
  if (std::strcmp(where, "barrier") == 0) world.barrier();
  if (std::strcmp(where, "fence") == 0) window.fence();
  if (std::strcmp(where, "poll") == 0)
    while (!messages.poll(2)) continue;
}

}  // namespace

int main(int argc, char** argv) {
  const evd::mpi::Environment environment(argc, argv);
  const auto world = evd::mpi::Communicator::world();
  if (std::strcmp(argv[1], "uncaught") == 0) {
    // The guard alone, without a handler: it must not finalize while the exception unwinds.
    if (world.rank() == 1) throw evd::DataError("uncaught");
    world.barrier();
  }
  try {
    work(world, argv[1]);
  } catch (const evd::Error& error) {
    std::fprintf(stderr, "rank %d: %s\n", world.rank(), error.what());
    world.abort(static_cast<int>(error.code()));
  }
  return 0;
}
