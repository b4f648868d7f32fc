#include "train/batch.hpp"

#include <algorithm>
#include <cmath>

#include "core/error.hpp"
#include "core/random.hpp"

namespace evd::train {
namespace {

/// Appends what is denoised: the pixels, or latents drawn by `random`.
void append_picture(std::vector<float>& pictures, const data::Loaded& sample, double scale,
                    Random random) {
  if (sample.deviation.empty()) {
    pictures.insert(pictures.end(), sample.picture.begin(), sample.picture.end());
    return;
  }
  std::vector<float> latents(sample.picture.size());
  random.fill_normal(latents);
  const auto factor = static_cast<float>(scale);
  for (std::size_t i = 0; i < latents.size(); ++i) {
    latents[i] = factor * (sample.picture[i] + sample.deviation[i] * latents[i]);
  }
  pictures.insert(pictures.end(), latents.begin(), latents.end());
}

}  // namespace

namespace {

// Places of the strata of one step's entries: another order at each step, so that no place in the
// batch, and with it no rank, has the same noise always.
std::vector<std::uint32_t> strata_of(const Noising& noising, std::uint64_t step) {
  if (noising.draw != nn::TimestepDraw::stratified) return {};
  return permutation(Random(noising.seed, Purpose::stratum, 0, step),
                     static_cast<std::uint32_t>(noising.batch));
}

// `strata`: of the entry's step.
int timestep_of(const Noising& noising, const Entry& entry, std::span<const std::uint32_t> strata) {
  Random random(noising.seed, Purpose::timestep, entry.id.low64(), entry.number);
  double share = 0;  // of the schedule
  switch (noising.draw) {
    case nn::TimestepDraw::uniform:
      return static_cast<int>(random.below(static_cast<std::uint64_t>(noising.timesteps)));
    case nn::TimestepDraw::stratified:
      share = (strata[entry.number % noising.batch] + random.uniform()) /
              static_cast<double>(noising.batch);
      break;
    case nn::TimestepDraw::logit_normal:
      share =
          1.0 / (1.0 + std::exp(-noising.logit_mean - noising.logit_deviation * random.normal()));
      break;
  }
  return std::min(static_cast<int>(share * noising.timesteps), noising.timesteps - 1);
}

}  // namespace

Part Part::slice(std::size_t begin, std::size_t end) const {
  // Everything has as many values a sample as it has in the whole.
  const auto cut = [&](const auto& values) {
    const auto each = static_cast<std::ptrdiff_t>(values.size() / size());
    return std::remove_cvref_t<decltype(values)>(
        values.begin() + each * static_cast<std::ptrdiff_t>(begin),
        values.begin() + each * static_cast<std::ptrdiff_t>(end));
  };
  Part part;
  part.ids = cut(ids);
  part.height = height;
  part.width = width;
  part.pictures = cut(pictures);
  part.noise = cut(noise);
  part.timesteps = cut(timesteps);
  part.texts = cut(texts);
  part.captions = cut(captions);
  part.error_weights = cut(error_weights);
  part.sizes_px = cut(sizes_px);
  part.aspects = cut(aspects);
  return part;
}

Part make_part(const Noising& noising, std::span<const Entry> entries,
               std::vector<data::Loaded> samples, nn::TextEncoder& encoder) {
  if (samples.size() != entries.size()) throw InternalError("not as many samples as entries");
  Part part;
  std::vector<std::uint32_t> strata;
  std::uint64_t strata_step = 0;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const auto& entry = entries[i];
    auto& sample = samples[i];
    const auto draw = [&](Purpose purpose) {
      return Random(noising.seed, purpose, entry.id.low64(), entry.number);
    };
    part.ids.push_back(entry.id);
    const std::uint64_t step = entry.number / noising.batch;
    if (i == 0 || step != strata_step) strata = strata_of(noising, step);
    strata_step = step;
    part.timesteps.push_back(timestep_of(noising, entry, strata));
    if (!noising.error_weights.empty()) {
      part.error_weights.push_back(
          noising.error_weights.at(static_cast<std::size_t>(part.timesteps.back())));
    }
    part.height = sample.height;
    part.width = sample.width;
    append_picture(part.pictures, sample, noising.latent_scale, draw(Purpose::latent));
    const std::size_t before = part.noise.size();
    part.noise.resize(part.pictures.size());
    draw(Purpose::noise).fill_normal(std::span(part.noise).subspan(before));
    const bool drop = draw(Purpose::caption_drop).uniform() < noising.caption_drop;
    const bool is_replaced = drop && noising.null_text;
    part.captions.push_back(drop && !is_replaced ? nn::Caption::dropped : nn::Caption::kept);
    if (is_replaced) {
      part.texts.push_back(*noising.null_text);
    } else if (sample.tokens > 0) {
      part.texts.push_back({std::move(sample.text), sample.tokens});
    } else {
      part.texts.push_back(encoder.encode(entry.prompt));
    }
    part.sizes_px.insert(part.sizes_px.end(), {entry.height_px, entry.width_px});
    part.aspects.push_back(entry.aspect);
  }
  return part;
}

}  // namespace evd::train
