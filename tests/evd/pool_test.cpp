#include "pool.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "core/hash.hpp"

namespace evd::hands {
namespace {

SampleId id_of(int number) { return truncated<SampleId>(sha256(std::to_string(number))); }

TEST(Ids, AreASet) {
  IdSet ids;
  for (int i = 0; i < 5000; ++i) EXPECT_TRUE(ids.insert(id_of(i)));
  for (int i = 0; i < 5000; ++i) EXPECT_FALSE(ids.insert(id_of(i)));
  EXPECT_EQ(ids.size(), 5000U);
  EXPECT_TRUE(ids.contains(id_of(4999)));
  EXPECT_FALSE(ids.contains(id_of(5000)));
  std::set<SampleId> seen;
  ids.each([&](const SampleId& id) { seen.insert(id); });
  EXPECT_EQ(seen.size(), 5000U);
}

class Drawing : public ::testing::Test {
 protected:
  Drawing() {
    for (int i = 0; i < 1000; ++i) forward_.insert(id_of(i));
    for (int i = 1000; i-- > 0;) backward_.insert(id_of(i));
  }
  IdSet forward_;
  IdSet backward_;
};

TEST_F(Drawing, DependsOnSeedAndPurposeAlone) {
  const auto drawn = draw(forward_, 100, 7, Purpose::start_set);
  EXPECT_EQ(drawn.size(), 100U);
  EXPECT_EQ(drawn, draw(backward_, 100, 7, Purpose::start_set)) << "not on the order of lines";
  EXPECT_NE(drawn, draw(forward_, 100, 8, Purpose::start_set));
  EXPECT_NE(drawn, draw(forward_, 100, 7, Purpose::heldout));
  EXPECT_TRUE(std::is_sorted(drawn.begin(), drawn.end()));
}

TEST_F(Drawing, ALargerDrawHoldsTheSmaller) {
  const auto small = draw(forward_, 100, 7, Purpose::start_set);
  const auto large = draw(forward_, 200, 7, Purpose::start_set);
  EXPECT_TRUE(std::includes(large.begin(), large.end(), small.begin(), small.end()));
}

TEST_F(Drawing, PassesOverWhatIsOut) {
  std::unordered_set<SampleId> out;
  for (int i = 0; i < 990; ++i) out.insert(id_of(i));
  EXPECT_EQ(draw(forward_, 100, 7, Purpose::start_set, out).size(), 10U);
  EXPECT_EQ(draw(forward_, 5000, 7, Purpose::start_set).size(), 1000U);
}

}  // namespace
}  // namespace evd::hands
