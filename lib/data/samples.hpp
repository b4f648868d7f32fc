#pragma once

#include <cstddef>
#include <vector>

namespace evd::data {

/// One sample as training takes it.
struct Loaded {
  int height = 0;  ///< of what is denoised
  int width = 0;
  std::vector<float> picture;    ///< (C, height, width): pixels in [-1, 1], or the mean of latents
  std::vector<float> deviation;  ///< of latents, as picture; empty for pixels
  std::vector<float> text;       ///< (tokens, channels); empty = the trainer encodes the prompt
  int tokens = 0;
};

/// Where samples come from.
class Samples {
 public:
  virtual ~Samples() = default;
  /// Thread-safe. Throws when it cannot be had: another sample never takes its place.
  [[nodiscard]] virtual Loaded load(std::size_t index) const = 0;
};

}  // namespace evd::data
