#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "image/image.hpp"
#include "rehearsal/language.hpp"

namespace evd::rehearsal {

/// The simulated VLM's weaknesses.
struct Temper {
  double position_bias = 0;  ///< logit added in favour of the first image
  double noise = 0;          ///< standard deviation of every opinion, as a logit
};

/// logit P(the first image fits the prompt better). Without bias and noise, exchanging the images
/// changes only the sign. Outside the language it has no preference.
[[nodiscard]] double preference(std::string_view prompt, const image::Rgb& first,
                                const image::Rgb& second, const Temper& temper, Random random);
/// 0 to 100. Outside the language: 50.
[[nodiscard]] int alignment_score(std::string_view prompt, const image::Rgb& picture,
                                  const Temper& temper, Random random);
/// `count` prompts, all different and none equal to `prompt`, that vary its scene; of a prompt
/// outside the language, of any scene.
[[nodiscard]] std::vector<std::string> variations(std::string_view prompt, std::size_t count,
                                                  Random random);
/// A prompt of an unrelated scene, worded in this style.
[[nodiscard]] std::string mutation(Style style, Random random);

}  // namespace evd::rehearsal
