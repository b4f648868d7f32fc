#include "evaluate/plan.hpp"

#include <algorithm>
#include <tuple>

#include "core/hash.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "data/held_out.hpp"
#include "nn/prompt_form.hpp"

namespace evd::evaluate {
namespace {

Picture picture_of(const shard::Sample& sample, shard::Split split, std::uint64_t noise_id) {
  return {sample.id,
          split,
          sample.prompt,
          noise_id,
          sample.category_human,
          sample.category_text,
          sample.category_multi,
          sample.height,
          sample.width};
}

}  // namespace

std::uint64_t member_noise(const SampleId& id, int round) {
  Sha256Stream stream;
  stream.field("member noise").field(id.hex()).field(static_cast<std::uint64_t>(round));
  return truncated<SampleId>(stream.finish()).low64() >> 1;
}

std::vector<Picture> plan(std::span<const shard::Sample> set,
                          std::span<const shard::Sample> heldout, double share, std::uint64_t seed,
                          int round) {
  std::vector<Picture> pictures;
  for (const auto& sample : set) {
    if (sample.status != shard::Status::member) continue;
    Random random(seed, Purpose::render_share, sample.id.low64(),
                  static_cast<std::uint64_t>(round));
    if (random.uniform() >= share) continue;
    pictures.push_back(picture_of(sample, shard::Split::train, member_noise(sample.id, round)));
  }
  for (const auto& sample : heldout)
    if (sample.status == shard::Status::heldout)
      pictures.push_back(picture_of(sample, shard::Split::heldout, data::heldout_noise(sample.id)));
  std::sort(pictures.begin(), pictures.end(), [](const Picture& a, const Picture& b) {
    return std::tie(a.split, a.prompt_id) < std::tie(b.split, b.prompt_id);
  });
  return pictures;
}

std::vector<Picture> sized_by_prompts(std::vector<Picture> pictures) {
  for (auto& picture : pictures) {
    const auto asked = nn::sized_prompt(picture.prompt);
    if (asked.height == 0) continue;
    picture.height_px = asked.height;
    picture.width_px = asked.width;
  }
  return pictures;
}

std::span<const data::AspectBucket> size_table(const nn::NetworkOptions& network, int side_px) {
  if (!network.multi_aspect) return {};
  return data::aspect_table(side_px);
}

std::vector<Picture> sized(std::vector<Picture> pictures,
                           std::span<const data::AspectBucket> table) {
  for (auto& picture : pictures) {
    data::AspectBucket bucket;
    if (!table.empty())
      bucket = table[static_cast<std::size_t>(
          data::bucket_of(table, picture.width_px, picture.height_px))];
    picture.height_px = bucket.height_px;
    picture.width_px = bucket.width_px;
    picture.aspect = bucket.aspect;
  }
  return pictures;
}

std::size_t part_count(std::size_t pictures) {
  return (pictures + kPartPictures - 1) / kPartPictures;
}

std::span<const Picture> part(std::span<const Picture> pictures, std::size_t index) {
  const std::size_t begin = index * kPartPictures;
  return pictures.subspan(begin, std::min(kPartPictures, pictures.size() - begin));
}

std::string part_name(std::size_t index) { return format("renders-%05zu.h5", index); }

RequestKey render_key(const Picture& picture, const Sha256& checkpoint,
                      const nn::SamplerOptions& sampler, std::uint64_t seed) {
  Sha256Stream stream;
  stream.field("render 1").field(checkpoint.hex()).field(picture.prompt);
  stream.field(picture.noise_id).field(seed).field(name(sampler.sampler));
  stream.field(static_cast<std::uint64_t>(sampler.steps));
  stream.field(format("%.17g", sampler.guidance));
  if (picture.height_px != 0) {
    stream.field(static_cast<std::uint64_t>(picture.height_px));
    stream.field(static_cast<std::uint64_t>(picture.width_px));
  }
  return RequestKey(stream.finish().bytes());
}

}  // namespace evd::evaluate
