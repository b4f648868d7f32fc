#include "mpi/shared_window.hpp"

#include <cstdint>
#include <span>
#include <utility>

#include <gtest/gtest.h>

namespace evd::mpi {
namespace {

std::span<float> floats_of(const SharedWindow& window, int rank) {
  const auto bytes = window.part(rank);
  return {reinterpret_cast<float*>(bytes.data()), bytes.size() / sizeof(float)};
}

TEST(SharedWindow, StartsAtZeroAndAligned) {
  const auto node = Communicator::world().node();
  const SharedWindow window(node, 1001);
  for (int rank = 0; rank < node.size(); ++rank) {
    EXPECT_EQ(window.part(rank).size(), 1001U);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(window.part(rank).data()) % 64, 0U);
    for (const auto byte : window.part(rank)) ASSERT_EQ(byte, std::byte{0});
  }
}

TEST(SharedWindow, EveryRankReadsWhatTheOthersWrote) {
  const auto node = Communicator::world().node();
  const SharedWindow window(node, 4000);
  for (int round = 1; round <= 50; ++round) {
    for (auto& value : floats_of(window, node.rank()))
      value = static_cast<float>(round * (node.rank() + 1));
    window.fence();
    for (int rank = 0; rank < node.size(); ++rank)
      for (const float value : floats_of(window, rank))
        ASSERT_EQ(value, static_cast<float>(round * (rank + 1)));
    window.fence();
  }
}

TEST(SharedWindow, RanksMayWriteIntoOthersParts) {
  const auto node = Communicator::world().node();
  const SharedWindow window(node, static_cast<std::size_t>(node.size()));
  for (int rank = 0; rank < node.size(); ++rank)
    window.part(rank)[static_cast<std::size_t>(node.rank())] =
        static_cast<std::byte>(node.rank() + 1);
  window.fence();
  for (int writer = 0; writer < node.size(); ++writer)
    EXPECT_EQ(window.part(node.rank())[static_cast<std::size_t>(writer)],
              static_cast<std::byte>(writer + 1));
  window.fence();
}

TEST(SharedWindow, PartsMayDifferAndBeEmpty) {
  const auto node = Communicator::world().node();
  SharedWindow first(node, static_cast<std::size_t>(100 * node.rank()));
  const SharedWindow window = std::move(first);
  for (int rank = 0; rank < node.size(); ++rank)
    EXPECT_EQ(window.part(rank).size(), static_cast<std::size_t>(100 * rank));
}

}  // namespace
}  // namespace evd::mpi
