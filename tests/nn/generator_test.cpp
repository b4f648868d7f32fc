#include "nn/generator.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "nn/model_file.hpp"
#include "nn/threads.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn {
namespace {

using Pictures = std::vector<std::vector<std::uint8_t>>;

/// Weights that draw something: the start weights' head is zero.
Weights lively(const Layout& layout) {
  Weights weights = start_weights(layout, 2);
  for (const auto& parameter : layout.parameters()) {
    Random random(9, Purpose::test, parameter.offset);
    for (std::size_t i = 0; i < parameter.count; ++i) {
      weights.flat[parameter.offset + i] += static_cast<float>(0.05 * random.normal());
    }
  }
  return weights;
}

class Rendering : public testing::Test {
 protected:
  Rendering() {
    write_model(path, layout, lively(layout));
    for (int i = 0; i < 11; ++i) {
      requests.push_back({i % 3 == 0 ? "a red circle" : "two blue squares left of a dog",
                          static_cast<std::uint64_t>(100 + i)});
    }
    sampler.steps = 4;
    sampler.batch = 4;
  }
  [[nodiscard]] Pictures render(const std::vector<RenderRequest>& wanted) const {
    return Generator(path, layout.network(), layout.diffusion()).render(wanted, sampler, 5);
  }

  evd::test::TempDir folder;
  Layout layout{NetworkOptions{}, DiffusionOptions{}};
  std::filesystem::path path = folder / "model.safetensors";
  std::vector<RenderRequest> requests;
  SamplerOptions sampler;
};

TEST_F(Rendering, GivesPicturesOfTheRightSize) {
  const auto pictures = render(requests);
  ASSERT_EQ(pictures.size(), requests.size());
  for (const auto& picture : pictures) EXPECT_EQ(picture.size(), 32U * 32U * 3U);
  EXPECT_NE(pictures[0], pictures[1]);
  EXPECT_NE(pictures[0], pictures[3]);  // the same prompt from other noise
}

TEST_F(Rendering, APictureDoesNotDependOnItsNeighboursOrPlace) {
  const auto all = render(requests);
  std::vector<RenderRequest> turned(requests.rbegin(), requests.rend());
  const auto other = render(turned);
  for (std::size_t i = 0; i < all.size(); ++i) EXPECT_EQ(all[i], other[all.size() - 1 - i]);
  EXPECT_EQ(render({requests[5]}).front(), all[5]);
}

TEST_F(Rendering, APictureDoesNotDependOnTheThreads) {
  use_threads(1);
  const auto one = render(requests);
  use_threads(3);
  EXPECT_EQ(render(requests), one);
  use_threads(1);
}

TEST_F(Rendering, BothSamplersAndNoGuidance) {
  const auto guided = render(requests);
  sampler.guidance = 1;
  const auto plain = render(requests);
  EXPECT_NE(plain, guided);
  sampler.sampler = SamplerKind::dpmpp;
  EXPECT_NE(render(requests), plain);
}

TEST_F(Rendering, TheCheckpointNamesTheWeights) {
  const Generator a(path, layout.network(), layout.diffusion());
  const Generator b(7, layout.network(), layout.diffusion());
  EXPECT_EQ(a.checkpoint(), digest_of(layout, lively(layout)));
  EXPECT_EQ(b.checkpoint(), digest_of(layout, start_weights(layout, 7)));
  EXPECT_NE(a.checkpoint(), b.checkpoint());
}

// Start weights predict nothing: with v-prediction each step's picture is alpha z, all finite.
TEST_F(Rendering, StartWeightsDrawToo) {
  const Generator start(1, layout.network(), layout.diffusion());
  EXPECT_EQ(start.render(requests, sampler, 5).size(), requests.size());
}

TEST_F(Rendering, NothingAskedNothingDrawn) { EXPECT_TRUE(render({}).empty()); }

}  // namespace
}  // namespace evd::nn
