// A test that hangs on one rank, for the watchdog of tests/support/mpi_main.cpp.
#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

TEST(Watched, Hangs) {
  auto world = evd::mpi::Communicator::world();
  if (world.rank() == 1)
    while (!world.poll(1)) continue;
  world.barrier();
}
