#include "train/visits.hpp"

#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "data/aspect.hpp"
#include "train/loss_groups.hpp"

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

TEST(LossGroups, AreCategoriesOriginsAndAspects) {
  std::vector<data::Member> members(4);
  for (int i = 0; i < 4; ++i) {
    members[static_cast<std::size_t>(i)].id = sample(i);
    members[static_cast<std::size_t>(i)].round_added = i / 2;
  }
  members[1].text = members[1].multi = true;
  members[2].text = true;
  SizeBuckets buckets;
  buckets.of = {0, 0, 5, 5};
  const auto visit = [](int number, float loss) {
    shard::Visit row;
    row.sample = sample(number);
    row.loss = loss;
    return row;
  };
  const std::vector<shard::Visit> visits = {
      visit(0, 1), visit(1, 2), visit(2, 4), visit(0, 3), visit(3, std::nanf("")), visit(9, 100)};
  using Means = std::map<std::string, double>;
  const auto means = [&] {
    const auto found = LossGroups(members, buckets).means(visits);
    return Means(found.begin(), found.end());
  };
  const Means square = {{"category/other", 2},
                        {"category/text", 3},
                        {"category/multi", 2},
                        {"origin/0", 2},
                        {"origin/1", 4}};
  EXPECT_EQ(means(), square);
  buckets.table = data::aspect_table(256);
  Means aspects = square;
  aspects[format("aspect/%.2f", buckets.table[0].aspect)] = 2;
  aspects[format("aspect/%.2f", buckets.table[5].aspect)] = 4;
  EXPECT_EQ(means(), aspects);
}

}  // namespace
}  // namespace evd::train
