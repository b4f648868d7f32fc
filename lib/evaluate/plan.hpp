#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "data/aspect.hpp"
#include "nn/options.hpp"
#include "shard/rows.hpp"

namespace evd::evaluate {

/// One picture that a round draws: which prompt, and from which start noise.
struct Picture {
  SampleId prompt_id;
  shard::Split split = shard::Split::train;
  std::string prompt;
  std::uint64_t noise_id = 0;  ///< below 2^63, so that the images table can show it
  bool human = false;
  bool text = false;
  bool multi = false;
  int height_px = 0;  ///< asked of the teachers; once sized(), drawn: 0 = the network's own square
  int width_px = 0;
  double aspect = 1;  ///< what a multi-aspect network is told
};

/// Members start from other noise in each round; held-out prompts from data::heldout_noise().
[[nodiscard]] std::uint64_t member_noise(const SampleId& id, int round);

/// What evaluate(round) renders, in canonical order (members, then held-out, each by id): of the
/// members in `set` each with probability `share`, drawn by (seed, sample, round), and every
/// held-out prompt of `heldout`. A pure function: rank and world size do not enter.
[[nodiscard]] std::vector<Picture> plan(std::span<const shard::Sample> set,
                                        std::span<const shard::Sample> heldout, double share,
                                        std::uint64_t seed, int round);

/// What a prompt's end says of its picture's sides (nn::sized_prompt()) in place of what was asked
/// of the teachers.
[[nodiscard]] std::vector<Picture> sized_by_prompts(std::vector<Picture> pictures);

/// The sizes that a network knows: none for one that knows its own square only.
[[nodiscard]] std::span<const data::AspectBucket> size_table(const nn::NetworkOptions& network,
                                                             int side_px);

/// The pictures at the sizes that are drawn: each the entry of `table` nearest to what was asked of
/// the teachers; the network's own square where there is no table.
[[nodiscard]] std::vector<Picture> sized(std::vector<Picture> pictures,
                                         std::span<const data::AspectBucket> table);

/// Consecutive pictures that go into one file: the unit that ranks share and that a killed attempt
/// leaves behind whole.
constexpr std::size_t kPartPictures = 64;
[[nodiscard]] std::size_t part_count(std::size_t pictures);
[[nodiscard]] std::span<const Picture> part(std::span<const Picture> pictures, std::size_t index);
/// renders-00003.h5
[[nodiscard]] std::string part_name(std::size_t index);

/// What makes a render: equal keys have equal pixels. Shape of the network and diffusion process
/// are not in it (identity keys, the same in the whole campaign), nor is what only rounds
/// otherwise: evaluate.batch, the kind of processor. The encoders are identity keys too.
[[nodiscard]] RequestKey render_key(const Picture& picture, const Sha256& checkpoint,
                                    const nn::SamplerOptions& sampler, std::uint64_t seed);

}  // namespace evd::evaluate
