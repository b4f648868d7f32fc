#include "train/visits.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace evd::train {
namespace {

SampleId sample(int number) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[3] = static_cast<std::uint8_t>(number);
  return SampleId(bytes);
}

TEST(Visits, OfAllRanksComeInTheOrderOfTheBatch) {
  const auto world = mpi::Communicator::world();
  // The last rank has no samples, the others two and three in turn.
  Part part;
  std::vector<float> losses;
  const int mine = world.size() > 1 && world.rank() + 1 == world.size() ? 0 : 2;
  const std::size_t first = 2 * static_cast<std::size_t>(world.size() - 1 - world.rank());
  for (int i = 0; i < mine; ++i) {
    const int place = static_cast<int>(first) + i;
    part.ids.push_back(sample(place));
    part.timesteps.push_back(10 * place);
    part.captions.push_back(place % 2 == 0 ? nn::Caption::dropped : nn::Caption::kept);
    losses.push_back(static_cast<float>(place) + 0.5F);
  }
  const auto visits = gather_visits(part, losses, first, 77, 3, world);
  if (world.rank() != 0) {
    EXPECT_TRUE(visits.empty());
    return;
  }
  ASSERT_FALSE(visits.empty());
  const int skipped = world.size() > 1 ? 2 : 0;
  ASSERT_EQ(visits.size(), static_cast<std::size_t>(2 * world.size() - skipped));
  for (std::size_t i = 0; i < visits.size(); ++i) {
    const int place = static_cast<int>(i) + skipped;
    EXPECT_EQ(visits[i].place, place);
    EXPECT_EQ(visits[i].sample, sample(place));
    EXPECT_EQ(visits[i].timestep, 10 * place);
    EXPECT_EQ(visits[i].caption_dropped, place % 2 == 0);
    EXPECT_EQ(visits[i].loss, static_cast<float>(place) + 0.5F);
    EXPECT_EQ(visits[i].step, 77);
    EXPECT_EQ(visits[i].round, 3);
  }
}

TEST(Visits, LossByTimestepHasTenBins) {
  std::vector<shard::Visit> visits(4);
  visits[0].timestep = 0;
  visits[0].loss = 1;
  visits[1].timestep = 99;
  visits[1].loss = 3;
  visits[2].timestep = 999;
  visits[2].loss = 5;
  visits[3].timestep = 999;
  visits[3].loss = NAN;
  const auto bins = loss_by_timestep(visits, 1000);
  ASSERT_EQ(bins.size(), 10U);
  EXPECT_EQ(bins[0], 2);
  EXPECT_TRUE(std::isnan(bins[1]));
  EXPECT_EQ(bins[9], 5);
}

}  // namespace
}  // namespace evd::train
