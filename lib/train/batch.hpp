#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "nn/options.hpp"
#include "nn/text_encoder.hpp"

namespace evd::train {

/// One entry of the global batch: which sample, and its place in the endless row of entries
/// (step * batch + place), which keys its random numbers.
struct Entry {
  SampleId id;
  std::string_view prompt;
  std::uint64_t number = 0;
};

/// This rank's part of the global batch of one step, ready for the network. Noise, timesteps and
/// dropped captions are functions of (seed, sample, entry): the same at any number of ranks.
struct Part {
  std::vector<SampleId> ids;
  std::vector<float> pictures;  ///< (n, C, H, W) in [-1, 1]
  std::vector<float> noise;     ///< (n, C, H, W)
  std::vector<int> timesteps;   ///< (n), as Noising::draw has them
  std::vector<nn::TextStates> texts;
  std::vector<nn::Caption> captions;
  std::vector<float> error_weights;  ///< (n) of the square errors, or none = all 1

  [[nodiscard]] std::size_t size() const { return ids.size(); }
  /// Samples [begin, end) alone.
  [[nodiscard]] Part slice(std::size_t begin, std::size_t end) const;
};

struct Noising {
  std::uint64_t seed = 0;  ///< of the campaign
  int timesteps = 1000;
  double caption_drop = 0;
  nn::TimestepDraw draw = nn::TimestepDraw::uniform;
  std::uint64_t batch = 1;  ///< global batch: entries of one step, which share the strata
  double logit_mean = 0;    ///< of logit_normal
  double logit_deviation = 1;
  std::vector<float> error_weights{};  ///< of each timestep; empty = all 1
};

/// `pictures` holds the entries' pictures, in order.
[[nodiscard]] Part make_part(const Noising& noising, std::span<const Entry> entries,
                             std::vector<float> pictures, nn::TextEncoder& encoder);

}  // namespace evd::train
