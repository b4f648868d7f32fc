#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/id.hpp"
#include "data/samples.hpp"
#include "nn/options.hpp"
#include "nn/text_encoder.hpp"

namespace evd::train {

/// One entry of the global batch: which sample, and its place in the endless row of entries
/// (step * batch + place), which keys its random numbers.
struct Entry {
  SampleId id;
  std::string_view prompt;
  std::uint64_t number = 0;
  /// What a multi-aspect network is told: sides of the picture as it came, and its bucket's aspect.
  float height_px = 0;
  float width_px = 0;
  float aspect = 1;
};

/// This rank's part of the global batch of one step, ready for the network. Noise, timesteps and
/// dropped captions and latents are functions of (seed, sample, entry): the same at any number of
/// ranks.
struct Part {
  std::vector<SampleId> ids;
  int height = 0;  ///< of what is denoised
  int width = 0;
  std::vector<float> pictures;  ///< (n, C, H, W): pixels in [-1, 1], or scaled latents
  std::vector<float> noise;     ///< (n, C, H, W)
  std::vector<int> timesteps;   ///< (n), as Noising::draw has them
  std::vector<nn::TextStates> texts;
  std::vector<nn::Caption> captions;
  std::vector<float> error_weights;  ///< (n) of the square errors, or none = all 1
  std::vector<float> sizes_px;       ///< (n, 2): height and width
  std::vector<float> aspects;        ///< (n)

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
  double latent_scale = 1;             ///< what latents are multiplied by; pixels are left alone
  /// Stands for a caption that is left out, as a text of its own; nothing = the weights' features,
  /// as many as the caption has tokens.
  std::optional<nn::TextStates> null_text = std::nullopt;
};

/// `samples` are the entries' own, in order; one without a text is encoded by `encoder`. Latents
/// are drawn from their distribution anew at each visit.
[[nodiscard]] Part make_part(const Noising& noising, std::span<const Entry> entries,
                             std::vector<data::Loaded> samples, nn::TextEncoder& encoder);

}  // namespace evd::train
