#include "core/error.hpp"

#include <string>

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

// Under MPI's default error handler the job would die inside the call, and no check would see it.
void expect_error_of(const Communicator& communicator) {
  std::string text = "x";
  auto bytes = std::as_writable_bytes(std::span(text));
  try {
    communicator.broadcast(bytes, communicator.size() + 5);
    FAIL() << "a root outside the communicator was taken";
  } catch (const InternalError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("MPI_Bcast"), std::string::npos) << what;
    EXPECT_NE(what.find("MPI_ERR_ROOT"), std::string::npos) << what;
  }
}

TEST(MpiErrors, ComeBackFromTheWorld) { expect_error_of(Communicator::world()); }

TEST(MpiErrors, ComeBackFromCommunicatorsMadeLater) {
  const auto node = Communicator::world().node();
  expect_error_of(node);
  expect_error_of(node.duplicate());
}

TEST(MpiErrors, AWrongDestinationLeavesNothingBehind) {
  auto world = Communicator::world();
  EXPECT_THROW(world.send(world.size(), 1, as_bytes("x")), InternalError);
  EXPECT_FALSE(world.poll(1).has_value());
  world.barrier();
}

}  // namespace
}  // namespace evd::mpi
