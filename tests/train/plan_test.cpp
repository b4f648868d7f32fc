// Floating-point work, memory plan and its limits.
#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"
#include "train/gpu_model.hpp"
#include "train/memory_check.hpp"
#include "train/plan_program.hpp"

namespace evd::train {
namespace {

run::Config xl2() {
  run::Config config;
  config.network = {.input_size = 64,
                    .channels = 4,
                    .patch = 2,
                    .width = 1152,
                    .depth = 28,
                    .head_dim = 72,
                    .caption_width = 4096,
                    .max_tokens = 120};
  config.diffusion.prediction = nn::Prediction::noise;
  config.diffusion.learned_variance = true;
  config.train.batch = 128;
  return config;
}

TEST(Flops, AreThoseOfDiTWhereThereIsNoText) {
  // DiT-XL/2 at 256 px: 118.64 Gflop of multiply-adds counted as one (Peebles and Xie 2023,
  // table 1), of which adaLN's 28 x 6 x 1152 x 1152 of each block are not in PixArt.
  auto config = xl2();
  config.network.input_size = 32;
  const double ours = forward_flops(config.network, config.diffusion, {1, 256, 0}) / 2;
  const double cross = 28.0 * 256 * 2 * 1152 * 1152;  // its two projections of picture tokens
  EXPECT_NEAR((ours - cross) / 118.64e9, 1, 0.01);
}

TEST(Flops, GrowWithSamplesAndBackwardCostsTwice) {
  const auto config = xl2();
  const PassShape one{1, 1024, 120};
  const PassShape eight{8, 1024, 960};
  const double forward = forward_flops(config.network, config.diffusion, one);
  EXPECT_DOUBLE_EQ(forward_flops(config.network, config.diffusion, eight), 8 * forward);
  EXPECT_DOUBLE_EQ(training_flops(config.network, config.diffusion, one), 3 * forward);
  const double again = training_flops(config.network, config.diffusion, one, Recompute::block);
  EXPECT_GT(again, 3.9 * forward);
  EXPECT_LT(again, 4 * forward);
}

TEST(MemoryPlan, SharesAndOwnsAsZeroDoes) {
  const auto config = xl2();
  const nn::Layout layout(config.network, config.diffusion);
  JobShape job{.ranks = 16, .ranks_per_node = 4, .batch = 128, .text_tokens = 120};
  const MemoryPlan plan(layout, job);
  const double parameters = 4.0 * static_cast<double>(layout.size());
  const auto bytes = [&](const std::string& name) {
    for (const auto& buffer : plan.buffers()) {
      if (buffer.name == name) return buffer.bytes;
    }
    ADD_FAILURE() << name;
    return 0.0;
  };
  EXPECT_NEAR(bytes("weights"), 2.443e9, 1e7);
  EXPECT_DOUBLE_EQ(bytes("gradients"), parameters);
  EXPECT_DOUBLE_EQ(bytes("moments"), parameters / 8);
  EXPECT_DOUBLE_EQ(bytes("averages"), parameters / 16);
  EXPECT_DOUBLE_EQ(plan.node_bytes(4) - plan.node_bytes(3), plan.node_bytes(1) - bytes("weights"));
  EXPECT_EQ(plan.ranks_that_fit(plan.node_bytes(3) * 1.0001), 3);
  EXPECT_EQ(plan.ranks_that_fit(1e6), 0);
  job.recompute = Recompute::block;
  EXPECT_LT(MemoryPlan(layout, job).rank_bytes(), 0.5 * plan.rank_bytes());
}

TEST(MemoryPlan, IsRefusedAboveTheLeastLimit) {
  const auto config = xl2();
  const MemoryPlan plan(nn::Layout(config.network, config.diffusion),
                        {.ranks = 2, .ranks_per_node = 2, .batch = 2, .text_tokens = 120});
  using Of = MemoryLimit::Of;
  const double needed = plan.node_bytes(2);
  EXPECT_NO_THROW(check_memory(plan, 2, {{"a", needed * 1.01, Of::node}}));
  EXPECT_NO_THROW(check_memory(plan, 2, {}));
  try {
    check_memory(plan, 2, {{"roomy", needed * 2, Of::node}, {"narrow", needed * 0.99, Of::node}});
    FAIL() << "taken";
  } catch (const ConfigurationError& error) {
    const std::string what = error.what();
    EXPECT_NE(what.find("narrow leaves"), std::string::npos) << what;
    EXPECT_NE(what.find("1 rank a node would fit"), std::string::npos) << what;
    EXPECT_NE(what.find("checkpoint snapshot 4.9 GB a rank"), std::string::npos) << what;
  }
  EXPECT_THROW(check_memory(plan, 2, {{"address space", plan.rank_bytes() * 0.9, Of::process}}),
               ConfigurationError);
}

TEST(MemoryLimit, ReadsEveryKind) {
  const test::TempDir folder;
  std::filesystem::create_directories(folder / "proc/self");
  std::filesystem::create_directories(folder / "cgroup/slurm/job");
  test::write_file(folder / "proc/meminfo", "MemTotal: 100 kB\nMemAvailable:   2000000 kB\n");
  test::write_file(folder / "proc/self/cgroup", "0::/slurm/job\n");
  test::write_file(folder / "cgroup/slurm/job/memory.max", "max\n");
  test::write_file(folder / "cgroup/slurm/memory.max", "3000000000\n");
  test::write_file(folder / "cgroup/slurm/memory.current", "1500000000\n");
  test::write_file(folder / "cgroup/slurm/memory.stat",
                   "anon 1000000000\ninactive_file 300000000\nactive_file 200000000\n");
  const auto limits =
      memory_limits({folder / "proc", folder / "cgroup", [](const char* name) -> const char* {
                       const std::string_view key = name;
                       if (key == "SLURM_MEM_PER_CPU") return "500";
                       return key == "SLURM_CPUS_ON_NODE" ? "4" : nullptr;
                     }});
  const auto find = [&](const std::string& name) {
    for (const auto& limit : limits) {
      if (limit.name == name) return limit.bytes;
    }
    ADD_FAILURE() << name << " is missing";
    return 0.0;
  };
  EXPECT_EQ(find("MemAvailable"), 2'048'000'000);
  EXPECT_EQ(find("cgroup memory.max"), 2'000'000'000);  // pages of files can be dropped
  EXPECT_EQ(find("SLURM_MEM_PER_CPU"), 2'097'152'000);
  EXPECT_EQ(least(limits, MemoryLimit::Of::node)->name, "cgroup memory.max");
}

TEST(MemoryLimit, OfThisMachineCanBeRead) {
  const auto node = least(memory_limits(), MemoryLimit::Of::node);
  ASSERT_TRUE(node);
  EXPECT_GT(node->bytes, 1e8);
}

TEST(Plan, SaysWhatXl2Needs) {
  PlanArguments given;
  given.ranks = 16;
  given.ranks_per_node = 8;
  given.gpu = "h100";
  given.utilisation = 0.45;
  const std::string text = plan_text(xl2(), given);
  EXPECT_NE(text.find("610,856,096 parameters in 435 tensors"), std::string::npos) << text;
  EXPECT_NE(text.find("128 pictures over 16 ranks, 8 a rank; 1024 tokens"), std::string::npos);
  EXPECT_NE(text.find("not told in float32"), std::string::npos) << text;
  // A card is named, so it is planned for: all that is computed with lies there.
  EXPECT_NE(text.find("on cards, float32"), std::string::npos) << text;
  EXPECT_NE(text.find("yes, on an h100"), std::string::npos) << text;
  auto on_processors = xl2();
  on_processors.compute.device = nn::DeviceKind::cpu;
  const std::string host = plan_text(on_processors, given);
  EXPECT_NE(host.find("on CPUs, float32"), std::string::npos) << host;
  EXPECT_NE(host.find("ranks on a node like this one"), std::string::npos) << host;
  auto halves = xl2();
  halves.compute.precision = nn::Precision::bfloat16;
  const std::string in_halves = plan_text(halves, given);
  EXPECT_NE(in_halves.find("1.2 GB a card"), std::string::npos) << in_halves;
  EXPECT_NE(in_halves.find("16 x h100"), std::string::npos) << in_halves;
  given.gpu = "h1000";
  EXPECT_THROW((void)plan_text(xl2(), given), ConfigurationError);
}

}  // namespace
}  // namespace evd::train
