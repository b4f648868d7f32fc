// Optimizer, buckets, batches and guard, each on its own.
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "train/adamw.hpp"
#include "train/batch.hpp"
#include "train/buckets.hpp"

namespace evd::train {
namespace {

// The formulas of torch.optim.AdamW in double, one parameter at a time.
struct Slow {
  double w = 0, m = 0, v = 0, ema = 0;
  void step(const AdamW& a, int n, double g) {
    w *= 1 - a.learning_rate * a.weight_decay;
    m = a.beta1 * m + (1 - a.beta1) * g;
    v = a.beta2 * v + (1 - a.beta2) * g * g;
    const double unbiased_m = m / (1 - std::pow(a.beta1, n));
    const double unbiased_v = v / (1 - std::pow(a.beta2, n));
    w -= a.learning_rate * unbiased_m / (std::sqrt(unbiased_v) + a.epsilon);
    ema = a.ema * ema + (1 - a.ema) * w;
  }
};

TEST(AdamW, EqualsTheFormulas) {
  constexpr std::size_t kCount = 77;
  std::vector<float> w(kCount), m(kCount), v(kCount), ema(kCount), g(kCount);
  Random(1, Purpose::test).fill_normal(w);
  ema = w;
  std::vector<Slow> slow(kCount);
  for (std::size_t i = 0; i < kCount; ++i) slow[i].w = slow[i].ema = w[i];
  const AdamW adamw{0.01, 0.1, 0.9, 0.99, 1e-8, 0.95};
  for (int n = 1; n <= 50; ++n) {
    Random(1, Purpose::test, 1, static_cast<std::uint64_t>(n)).fill_normal(g);
    update(adamw, n, {w, m, v, ema}, g, 0.5);
    for (std::size_t i = 0; i < kCount; ++i) slow[i].step(adamw, n, 0.5 * double{g[i]});
  }
  for (std::size_t i = 0; i < kCount; ++i) {
    EXPECT_NEAR(w[i], slow[i].w, 1e-5);
    EXPECT_NEAR(ema[i], slow[i].ema, 1e-5);
  }
}

TEST(AdamW, AnElementDoesNotDependOnItsPlace) {
  std::vector<float> w(101, 0.3F), m(101, 0.1F), v(101, 0.2F), ema(101, 0.4F), g(101, -0.7F);
  update({0.01, 0.1, 0.9, 0.99, 1e-8, 0.95}, 3, {w, m, v, ema}, g, 1);
  for (const float value : w) EXPECT_EQ(value, w.front());
  for (const float value : ema) EXPECT_EQ(value, ema.front());
}

TEST(AdamW, ZerosStayZero) {  // the gaps between tensors
  std::vector<float> w(3), m(3), v(3), ema(3), g(3);
  update({0.01, 0.1, 0.9, 0.99, 1e-8, 0.95}, 1, {w, m, v, ema}, g, 1);
  EXPECT_EQ(w, std::vector<float>(3));
}

TEST(AdamW, NormAndWarmUp) {
  std::vector<float> values(1003, 2);
  EXPECT_DOUBLE_EQ(sum_of_squares(values), 4012);
  values[1002] = NAN;
  EXPECT_TRUE(std::isnan(sum_of_squares(values)));
  EXPECT_DOUBLE_EQ(warmed_up(1, 0, 4), 0.25);
  EXPECT_DOUBLE_EQ(warmed_up(1, 3, 4), 1);
  EXPECT_DOUBLE_EQ(warmed_up(1, 9, 4), 1);
  EXPECT_DOUBLE_EQ(warmed_up(1, 0, 0), 1);
}

TEST(Buckets, CoverEveryParameterOnce) {
  const nn::Layout layout{nn::NetworkOptions{}, nn::DiffusionOptions{}};
  for (const std::size_t bytes : {std::size_t{1}, std::size_t{1} << 20, std::size_t{1} << 40}) {
    const Cut cut = cut_into_buckets(layout, bytes);
    std::size_t end = 0;
    for (const Range& bucket : cut.buckets) {
      EXPECT_EQ(bucket.begin, end);
      end = bucket.end;
    }
    EXPECT_EQ(end, layout.size());
    std::map<std::size_t, std::size_t> counts;
    for (std::size_t i = 0; i < cut.of.size(); ++i) {
      ++counts[cut.of[i]];
      EXPECT_GE(layout.parameters()[i].offset, cut.buckets[cut.of[i]].begin);
      EXPECT_LT(layout.parameters()[i].offset, cut.buckets[cut.of[i]].end);
    }
    for (const auto& [bucket, count] : counts) EXPECT_EQ(count, cut.count[bucket]);
  }
  EXPECT_EQ(cut_into_buckets(layout, 1).buckets.size(), layout.parameters().size());
  EXPECT_EQ(cut_into_buckets(layout, std::size_t{1} << 40).buckets.size(), 1U);
}

SampleId sample(std::uint8_t number) {
  std::array<std::uint8_t, 16> bytes{};
  bytes[0] = number;
  return SampleId(bytes);
}

std::vector<data::Loaded> pixels(std::size_t count, std::size_t values) {
  data::Loaded one;
  one.height = one.width = 2;
  one.picture.resize(values);
  return std::vector<data::Loaded>(count, one);
}

TEST(Batch, PartsOfABatchHoldWhatTheWholeHolds) {
  const Noising noising{5, 1000, 0.5};
  std::vector<Entry> entries;
  for (std::uint8_t i = 0; i < 7; ++i) entries.push_back({sample(i), "a red ball", 100U + i});
  nn::TextEncoder encoder(8, 4);
  const Part whole = make_part(noising, entries, pixels(7, 12), encoder);
  const Part tail = make_part(noising, std::span(entries).subspan(4), pixels(3, 12), encoder);
  EXPECT_EQ(std::vector(whole.noise.begin() + 4 * 12, whole.noise.end()), tail.noise);
  EXPECT_EQ(std::vector(whole.timesteps.begin() + 4, whole.timesteps.end()), tail.timesteps);
  EXPECT_EQ(std::vector(whole.captions.begin() + 4, whole.captions.end()), tail.captions);
}

TEST(Batch, DrawsTimestepsEvenlyAndDropsTheShareOfCaptions) {
  const Noising noising{5, 1000, 0.1};
  std::vector<Entry> entries;
  for (std::uint64_t i = 0; i < 20000; ++i) entries.push_back({sample(1), "", i});
  nn::TextEncoder encoder(2, 2);
  const Part part = make_part(noising, entries, pixels(20000, 1), encoder);
  double mean = 0;
  for (const int t : part.timesteps) {
    ASSERT_GE(t, 0);
    ASSERT_LT(t, 1000);
    mean += t / 20000.0;
  }
  EXPECT_NEAR(mean, 499.5, 8);
  const auto dropped = std::count(part.captions.begin(), part.captions.end(), nn::Caption::dropped);
  EXPECT_NEAR(static_cast<double>(dropped), 2000, 170);
}

std::vector<Entry> entries_of_steps(std::uint64_t first, std::uint64_t count) {
  std::vector<Entry> entries;
  for (std::uint64_t i = first; i < first + count; ++i) {
    entries.push_back({sample(static_cast<std::uint8_t>(i)), "", i});
  }
  return entries;
}

TEST(Batch, StratifiedTimestepsLieOneInEachStretchWhoeverDrawsThem) {
  Noising noising{5, 1000, 0};
  noising.draw = nn::TimestepDraw::stratified;
  noising.batch = 16;
  nn::TextEncoder encoder(2, 2);
  std::vector<double> mean_of_place(16);
  for (std::uint64_t step = 0; step < 200; ++step) {
    const auto entries = entries_of_steps(step * 16, 16);
    const auto drawn = make_part(noising, entries, pixels(16, 1), encoder).timesteps;
    auto sorted = drawn;
    std::sort(sorted.begin(), sorted.end());
    for (int i = 0; i < 16; ++i) {
      EXPECT_GE(sorted[static_cast<std::size_t>(i)], i * 1000 / 16);
      EXPECT_LE(sorted[static_cast<std::size_t>(i)], (i + 1) * 1000 / 16);
    }
    // The third of five ranks.
    const auto part = make_part(noising, std::span(entries).subspan(7, 3), pixels(3, 1), encoder);
    EXPECT_EQ(part.timesteps, std::vector<int>(drawn.begin() + 7, drawn.begin() + 10));
    for (std::size_t i = 0; i < 16; ++i) mean_of_place[i] += drawn[i] / 200.0;
  }
  for (const double mean : mean_of_place) EXPECT_NEAR(mean, 499.5, 5 * 289 / std::sqrt(200.0));
}

TEST(Batch, LogitNormalTimesteps) {
  Noising noising{5, 1000, 0};
  noising.draw = nn::TimestepDraw::logit_normal;
  noising.logit_mean = -0.5;
  noising.logit_deviation = 0.8;
  nn::TextEncoder encoder(2, 2);
  const auto part = make_part(noising, entries_of_steps(0, 20000), pixels(20000, 1), encoder);
  double mean = 0;
  double square = 0;
  for (const int t : part.timesteps) {
    ASSERT_GE(t, 0);
    ASSERT_LT(t, 1000);
    const double share = (t + 0.5) / 1000;
    const double logit = std::log(share / (1 - share));
    mean += logit / 20000;
    square += logit * logit / 20000;
  }
  EXPECT_NEAR(mean, -0.5, 0.03);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 0.8, 0.02);
}

TEST(Batch, WeighsErrorsByTheirTimesteps) {
  Noising noising{5, 10, 0};
  nn::TextEncoder encoder(2, 2);
  EXPECT_TRUE(
      make_part(noising, entries_of_steps(0, 3), pixels(3, 1), encoder).error_weights.empty());
  for (int t = 0; t < 10; ++t) noising.error_weights.push_back(static_cast<float>(t) * 0.5F);
  const auto part = make_part(noising, entries_of_steps(0, 50), pixels(50, 1), encoder);
  ASSERT_EQ(part.error_weights.size(), 50U);
  for (std::size_t i = 0; i < 50; ++i) {
    EXPECT_EQ(part.error_weights[i], static_cast<float>(part.timesteps[i]) * 0.5F);
  }
}

TEST(Batch, LatentsAreDrawnAnewAtEachVisitAndScaled) {
  Noising noising{5, 1000, 0};
  noising.latent_scale = 0.5;
  data::Loaded sample;
  sample.height = sample.width = 100;
  sample.picture.assign(10000, 3.0F);
  sample.deviation.assign(10000, 2.0F);
  nn::TextEncoder encoder(2, 2);
  const auto visit = [&](std::uint64_t number) {
    const std::vector<Entry> entries = {{evd::train::sample(1), "", number}};
    return make_part(noising, entries, {sample}, encoder);
  };
  const Part first = visit(7);
  const Part second = visit(8);
  EXPECT_EQ(visit(7).pictures, first.pictures);
  EXPECT_NE(second.pictures, first.pictures);
  EXPECT_NE(first.noise, first.pictures);
  double mean = 0;
  double square = 0;
  for (const float value : first.pictures) {
    mean += value / 1e4;
    square += value * value / 1e4;
  }
  EXPECT_NEAR(mean, 1.5, 0.05);
  EXPECT_NEAR(std::sqrt(square - mean * mean), 1.0, 0.03);
}

TEST(Batch, ADroppedCaptionIsTheNullTextWithItsOwnTokens) {
  Noising noising{5, 1000, 1.0};
  noising.null_text = nn::TextStates{{7, 8}, 1};
  auto samples = pixels(1, 4);
  samples[0].text = {1, 2, 3, 4, 5, 6};
  samples[0].tokens = 3;
  nn::TextEncoder encoder(2, 4);
  const std::vector<Entry> entries = {{sample(1), "words", 3}};
  const Part dropped = make_part(noising, entries, samples, encoder);
  EXPECT_EQ(dropped.captions.front(), nn::Caption::kept);
  EXPECT_EQ(dropped.texts.front().values, (std::vector<float>{7, 8}));
  EXPECT_EQ(dropped.texts.front().tokens, 1);
  // The weights' own features are taken in the caption's length.
  noising.null_text.reset();
  const Part masked = make_part(noising, entries, samples, encoder);
  EXPECT_EQ(masked.captions.front(), nn::Caption::dropped);
  EXPECT_EQ(masked.texts.front().tokens, 3);
  noising.caption_drop = 0;
  EXPECT_EQ(make_part(noising, entries, samples, encoder).texts.front().values, samples[0].text);
}

}  // namespace
}  // namespace evd::train
