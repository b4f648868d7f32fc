// The programs that are linked with the code for cards, where there may be none.
#include <gtest/gtest.h>

#include "support/process.hpp"

namespace evd::test {
namespace {

Finished synthetic(const std::string& device) {
  return run(
      {.arguments = {program("evd-train-on-cards"), "--synthetic", "--steps", "2", "--set",
                     "network.width=32", "--set", "network.depth=1", "--set", "network.head_dim=16",
                     "--set", "train.batch=4", "--set", "compute.device=" + device},
       // Whatever this machine has.
       .environment = {{"CUDA_VISIBLE_DEVICES", "-1"}},
       .timeout_s = 200});
}

TEST(OnCards, AProgramForCardsRunsOnTheProcessorToo) {
  const auto done = synthetic("auto");
  EXPECT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.err.find("computes on cpu"), std::string::npos) << done.story();
}

TEST(OnCards, ACardThatIsWantedAndNotThereIsNamedWithTheDriversReason) {
  const auto done = synthetic("cuda");
  EXPECT_EQ(done.code, 78) << done.story();
  EXPECT_NE(done.err.find("there is no card ("), std::string::npos) << done.story();
  EXPECT_EQ(done.err.find("without CUDA"), std::string::npos) << done.story();
}

TEST(OnCards, LoadTheOperatorsForCards) {
  for (const char* name : {"evd-train-on-cards", "evd-evaluate-on-cards"}) {
    const auto ldd = run({.arguments = {"ldd", program(name)}});
    EXPECT_NE(ldd.out.find("libtorch_cuda.so"), std::string::npos) << ldd.story();
    EXPECT_EQ(ldd.out.find("not found"), std::string::npos) << ldd.story();
  }
}

}  // namespace
}  // namespace evd::test
