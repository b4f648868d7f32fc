#include "harvest/background.hpp"

#include <memory>

#include <gtest/gtest.h>

#include "core/error.hpp"

namespace evd::harvest {
namespace {

TEST(Background, GivesWhatWasMadeOnceAndInOrder) {
  Background<int> background;
  EXPECT_EQ(background.finish(), std::nullopt);
  for (int i = 0; i < 3; ++i) {
    background.begin([i] { return i; });
    EXPECT_EQ(background.finish(), i);
    EXPECT_EQ(background.finish(), std::nullopt);
  }
}

TEST(Background, ThrowsWhatItsWorkThrew) {
  Background<int> background;
  background.begin([]() -> int { throw IoError("no space"); });
  EXPECT_THROW(static_cast<void>(background.finish()), IoError);
  background.begin([] { return 7; });
  EXPECT_EQ(background.finish(), 7);
}

// Two parts are in memory at most: what a finished one held is gone.
TEST(Background, LetsGoOfWhatTheWorkHeld) {
  Background<int> background;
  auto held = std::make_shared<int>(5);
  background.begin([held] { return *held; });
  EXPECT_EQ(background.finish(), 5);
  EXPECT_EQ(held.use_count(), 1);
}

TEST(Background, WaitsForWorkThatNobodyAskedAfter) {
  int done = 0;
  {
    Background<int> background;
    background.begin([&done] { return done = 1; });
  }
  EXPECT_EQ(done, 1);
}

}  // namespace
}  // namespace evd::harvest
