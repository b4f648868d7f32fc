// One test that fails on one rank only, and none at all when it is filtered away.
#include <gtest/gtest.h>

#include "mpi/communicator.hpp"

TEST(Lone, FailsOnTheLastRank) {
  const auto world = evd::mpi::Communicator::world();
  EXPECT_NE(world.rank(), world.size() - 1);
}
