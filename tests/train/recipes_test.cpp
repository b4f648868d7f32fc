// The shipped recipes are the paper's: network, schedule and optimizer as published.
#include <gtest/gtest.h>

#include "nn/layout.hpp"
#include "run/config.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::train {
namespace {

run::Config recipe(const std::string& name) {
  const auto file = test::source_directory() / "configs" / name;
  return run::parse_config(test::read_file(file), file.string());
}

void expect_paper(const run::Config& config) {
  const auto& t = config.train;
  EXPECT_EQ(t.lr, 2e-5);
  EXPECT_EQ(t.weight_decay, 0.03);
  EXPECT_EQ(t.warmup_steps, 1000);
  EXPECT_EQ(t.clip, 1.0);
  EXPECT_EQ(t.ema, 0.9999);
  EXPECT_EQ(t.epsilon, 1e-10);
  EXPECT_EQ(t.caption_drop, 0.1);
  EXPECT_EQ(config.evaluate.share, 0.2);
  EXPECT_EQ(config.evaluate.sampling.sampler, nn::SamplerKind::dpmpp_authors);
  EXPECT_EQ(config.judge.expansions, 3);
  EXPECT_EQ(config.set.start_samples, 20000);
}

TEST(Recipes, Edgen512IsThePapers) {
  const auto config = recipe("edgen-512.toml");
  expect_paper(config);
  EXPECT_EQ(config.train.batch, 128);
  EXPECT_EQ(100'000 % config.train.steps_per_round, 0);
  EXPECT_EQ(nn::Layout(config.network, config.diffusion).trained(), 610'856'096U);
}

TEST(Recipes, Edgen1024IsThePapers) {
  const auto config = recipe("edgen-1024.toml");
  expect_paper(config);
  EXPECT_EQ(config.train.batch, 32);
  EXPECT_EQ(20'000 % config.train.steps_per_round, 0);
  EXPECT_TRUE(config.network.multi_aspect);
  EXPECT_EQ(config.network.interpolation, 2.0);
  EXPECT_EQ(nn::Layout(config.network, config.diffusion).trained(), 611'349'152U);
}

}  // namespace
}  // namespace evd::train
