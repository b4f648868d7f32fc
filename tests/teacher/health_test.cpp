#include "teacher/health.hpp"

#include <gtest/gtest.h>

namespace evd::teacher {
namespace {

TEST(ServiceHealth, OpensAfterFiveInARowAndProbesOneAtATime) {
  ServiceHealth health(900);
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(health.bad(i, "http_500")) << "counts for the request";
  EXPECT_TRUE(health.ready(4));
  EXPECT_FALSE(health.bad(4, "http_500")) << "the service as a whole fails now";
  EXPECT_TRUE(health.open());
  EXPECT_FALSE(health.ready(4.5));
  EXPECT_TRUE(health.ready(5.1));
  health.begin();
  EXPECT_FALSE(health.ready(5.2)) << "one probe at a time";
  EXPECT_FALSE(health.bad(5.3, "http_500"));
  EXPECT_FALSE(health.ready(7)) << "the pause doubles";
  EXPECT_TRUE(health.ready(7.4));
  health.begin();
  health.good();
  EXPECT_FALSE(health.open());
  EXPECT_TRUE(health.ready(7.5));
}

TEST(ServiceHealth, AGoodAnswerBetweenResets) {
  ServiceHealth health(900);
  for (int i = 0; i < 100; ++i) {
    EXPECT_TRUE(health.bad(i, "x"));
    if (i % 4 == 3) health.good();
  }
  EXPECT_FALSE(health.open());
}

TEST(ServiceHealth, GoesDownAfterItsPatience) {
  ServiceHealth health(900);
  double now = 0;
  int probes = 0;
  while (!health.down(now) && now < 10'000) {
    if (health.ready(now)) {
      health.begin();
      health.bad(now, "http_503");
      ++probes;
    }
    now += 0.5;
  }
  EXPECT_NEAR(now, 900, 2);
  EXPECT_GT(probes, 15);
  EXPECT_LT(probes, 40);
  EXPECT_NE(health.why().find("http_503"), std::string::npos);
  health.good();
  EXPECT_TRUE(health.down(now)) << "for the rest of the job";
}

TEST(ServiceHealth, ShortPatienceStillProbes) {
  ServiceHealth health(2);
  int probes = 0;
  for (double now = 0; !health.down(now); now += 0.01)
    if (health.ready(now)) {
      health.begin();
      health.bad(now, "x");
      ++probes;
    }
  EXPECT_GE(probes, 7);
}

TEST(ServiceHealth, PausesWhenAskedTo) {
  ServiceHealth health(900);
  health.pause(10, 20);
  EXPECT_FALSE(health.ready(29));
  EXPECT_TRUE(health.ready(30.1));
  health.good();
  EXPECT_FALSE(health.down(5000));
}

// The circuit once stayed open for good: the probe counted as still under way.
TEST(ServiceHealth, AProbeThatIsAskedToWaitIsFollowedByAnother) {
  ServiceHealth health(900);
  for (int i = 0; i < 5; ++i) health.bad(0, "http_500");
  ASSERT_TRUE(health.ready(1.1));
  health.begin();
  health.pause(1.2, 10);
  EXPECT_TRUE(health.open());
  EXPECT_FALSE(health.ready(11));
  EXPECT_TRUE(health.ready(11.3));
  health.begin();
  EXPECT_FALSE(health.ready(11.4)) << "one probe at a time";
}

TEST(ServiceHealth, StopIsAtOnce) {
  ServiceHealth health(900);
  health.stop("the key was not accepted");
  EXPECT_FALSE(health.ready(0));
  EXPECT_TRUE(health.down(0));
}

// A failure before a long silence of our own once made the next request meet a dead service.
TEST(ServiceHealth, SilenceOfOurOwnIsNoFault) {
  ServiceHealth health(900);
  health.bad(0, "http_500");
  health.renew();
  EXPECT_FALSE(health.down(5000));
  EXPECT_TRUE(health.ready(5000));
}

}  // namespace
}  // namespace evd::teacher
