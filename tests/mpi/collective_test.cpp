#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

TEST(Communicator, KnowsItsRanks) {
  const auto world = Communicator::world();
  EXPECT_GE(world.rank(), 0);
  EXPECT_LT(world.rank(), world.size());
  EXPECT_EQ(world.all_reduce(std::int64_t{world.rank()}, Reduce::max), world.size() - 1);
}

TEST(Communicator, NodeHoldsEveryRankOfOneMachine) {
  const auto world = Communicator::world();
  const auto node = world.node();
  EXPECT_EQ(node.size(), world.size());
  EXPECT_EQ(node.rank(), world.rank());
}

TEST(Communicator, ReducesNumbers) {
  const auto world = Communicator::world();
  const int n = world.size();
  const double half = world.rank() + 0.5;
  EXPECT_EQ(world.all_reduce(half, Reduce::sum), n * (n - 1) / 2 + 0.5 * n);
  EXPECT_EQ(world.all_reduce(half, Reduce::max), n - 0.5);
  EXPECT_EQ(world.all_reduce(half, Reduce::min), 0.5);
  const std::int64_t large = (std::int64_t{1} << 53) + 1 + world.rank();
  EXPECT_EQ(world.all_reduce(large, Reduce::min), (std::int64_t{1} << 53) + 1)
      << "whole numbers do not pass through double";
}

TEST(Communicator, ReducesSeveralNumbersToTheSameBits) {
  const auto world = Communicator::world();
  std::vector<double> values = {0.1 * (world.rank() + 1), 1.0 / 3,
                                static_cast<double>(world.rank())};
  world.all_reduce(values, Reduce::sum);
  const int n = world.size();
  EXPECT_NEAR(values[0], 0.1 * n * (n + 1) / 2, 1e-12);
  EXPECT_NEAR(values[1], n / 3.0, 1e-12);
  EXPECT_EQ(values[2], n * (n - 1) / 2.0);
  const auto hash = static_cast<std::int64_t>(xxh3_64(std::as_bytes(std::span(values))) >> 1);
  EXPECT_EQ(world.all_reduce(hash, Reduce::max), world.all_reduce(hash, Reduce::min));
}

TEST(Communicator, SplitsByColorInTheOldOrder) {
  const auto world = Communicator::world();
  const auto half = world.split(world.rank() % 2);
  EXPECT_EQ(half.size(), (world.size() + 1 - world.rank() % 2) / 2);
  EXPECT_EQ(half.rank(), world.rank() / 2);
}

TEST(Communicator, ExchangesPartsOfAnySize) {
  const auto world = Communicator::world();
  // Rank a gives rank b a message of a * 10 + b values; 0 gives 0 none.
  std::vector<std::vector<float>> to;
  for (int other = 0; other < world.size(); ++other) {
    to.emplace_back(world.rank() * 10 + other, static_cast<float>(world.rank()));
  }
  const auto from = world.all_to_all(to);
  ASSERT_EQ(from.size(), to.size());
  for (std::size_t other = 0; other < from.size(); ++other) {
    EXPECT_EQ(from[other], std::vector<float>(other * 10 + static_cast<std::size_t>(world.rank()),
                                              static_cast<float>(other)));
  }
}

TEST(Communicator, BroadcastsTextsOfAnyLength) {
  const auto world = Communicator::world();
  const int root = world.size() - 1;
  for (const std::size_t length : {0UL, 1UL, 5'000'000UL}) {
    const std::string text(length, 'x');
    EXPECT_EQ(world.broadcast(world.rank() == root ? text : "something else", root), text);
  }
}

TEST(Communicator, GathersInRankOrder) {
  const auto world = Communicator::world();
  // Rank r brings r bytes, so rank 0 brings none.
  const std::string own(static_cast<std::size_t>(world.rank()),
                        static_cast<char>('a' + world.rank()));
  const auto parts = world.gather(as_bytes(own), 0);
  if (world.rank() != 0) {
    EXPECT_TRUE(parts.empty());
    return;
  }
  ASSERT_EQ(parts.size(), static_cast<std::size_t>(world.size()));
  for (std::size_t r = 0; r < parts.size(); ++r) {
    EXPECT_EQ(parts[r].size(), r);
    for (const auto byte : parts[r]) EXPECT_EQ(static_cast<char>(byte), static_cast<char>('a' + r));
  }
}

TEST(Communicator, GatherTakesLargePartsFromAll) {
  const auto world = Communicator::world();
  const std::vector<std::byte> own(3'000'000, static_cast<std::byte>(world.rank()));
  const auto parts = world.gather(own, world.size() - 1);
  if (world.rank() != world.size() - 1) return;
  for (std::size_t r = 0; r < parts.size(); ++r)
    EXPECT_EQ(parts[r], std::vector<std::byte>(3'000'000, static_cast<std::byte>(r)));
}

TEST(Communicator, ADuplicateKeepsItsMessagesApart) {
  auto world = Communicator::world();
  auto other = world.duplicate();
  world.send(world.rank(), 5, as_bytes("world"));
  world.barrier();
  EXPECT_FALSE(other.poll(5).has_value());
  std::optional<Message> message;
  while (!message) message = world.poll(5);
  EXPECT_EQ(message->bytes.size(), 5U);
}

}  // namespace
}  // namespace evd::mpi
