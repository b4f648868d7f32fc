#include <algorithm>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "mpi/communicator.hpp"

namespace evd::mpi {
namespace {

std::string text(const Message& message) {
  return {reinterpret_cast<const char*>(message.bytes.data()), message.bytes.size()};
}

Message receive(Communicator& world, int tag) {
  while (true)
    if (auto message = world.poll(tag)) return std::move(*message);
}

TEST(Message, PollGivesNothingWhenNothingCame) {
  auto world = Communicator::world();
  EXPECT_FALSE(world.poll(1).has_value());
  world.barrier();
}

TEST(Message, EveryRankHearsFromEveryRank) {
  auto world = Communicator::world();
  for (int destination = 0; destination < world.size(); ++destination)
    world.send(destination, 2, as_bytes("from " + std::to_string(world.rank())));
  std::vector<int> sources;
  for (int i = 0; i < world.size(); ++i) {
    const auto message = receive(world, 2);
    EXPECT_EQ(message.tag, 2);
    EXPECT_EQ(text(message), "from " + std::to_string(message.source));
    sources.push_back(message.source);
  }
  std::sort(sources.begin(), sources.end());
  for (int r = 0; r < world.size(); ++r) EXPECT_EQ(sources[static_cast<std::size_t>(r)], r);
  world.barrier();
}

TEST(Message, KeepsTheOrderOfOneSenderAndTag) {
  auto world = Communicator::world();
  const int next = (world.rank() + 1) % world.size();
  for (int i = 0; i < 200; ++i) world.send(next, 3, as_bytes(std::to_string(i)));
  for (int i = 0; i < 200; ++i) ASSERT_EQ(text(receive(world, 3)), std::to_string(i));
  world.barrier();
}

TEST(Message, TagsDoNotMix) {
  auto world = Communicator::world();
  world.send(world.rank(), 4, as_bytes("four"));
  world.send(world.rank(), Communicator::kMaxTag, as_bytes("last"));
  EXPECT_EQ(text(receive(world, Communicator::kMaxTag)), "last");
  EXPECT_EQ(text(receive(world, 4)), "four");
  EXPECT_THROW(world.send(0, Communicator::kMaxTag + 1, {}), InternalError);
  EXPECT_THROW((void)world.poll(-1), InternalError);
  world.barrier();
}

TEST(Message, SendCopiesSoTheCallerMayReuseItsBuffer) {
  auto world = Communicator::world();
  // Long enough that MPI waits for the receiver before it reads the rest.
  std::string buffer(4'000'000, 'a');
  const int next = (world.rank() + 1) % world.size();
  world.send(next, 6, as_bytes(buffer));
  buffer.assign(buffer.size(), 'b');
  EXPECT_EQ(text(receive(world, 6)), std::string(4'000'000, 'a'));
  world.barrier();
}

TEST(Message, AnEmptyMessageArrives) {
  auto world = Communicator::world();
  world.send(world.rank(), 7, {});
  EXPECT_TRUE(receive(world, 7).bytes.empty());
  world.barrier();
}

TEST(Message, SentOnesArriveWhenTheSenderIsGoneAlready) {
  auto world = Communicator::world();
  const int next = (world.rank() + 1) % world.size();
  auto receiver = world.duplicate();
  { receiver.send(next, 8, as_bytes("short")); }
  EXPECT_EQ(text(receive(receiver, 8)), "short");
  world.barrier();
}

}  // namespace
}  // namespace evd::mpi
