#include "rehearsal/opinion.hpp"

#include <algorithm>
#include <cmath>

#include "rehearsal/draw.hpp"
#include "rehearsal/reader.hpp"

namespace evd::rehearsal {
namespace {

// One attribute of eight wrong is a difference in fit of about 0.12: two to one and a half logits,
// well above the shipped noise.
constexpr double kLogitsPerFit = 16;
constexpr double kPointsPerLogit = 6;  // of a score of 100

}  // namespace

double preference(std::string_view prompt, const image::Rgb& first, const image::Rgb& second,
                  const Temper& temper, Random random) {
  const double mood = temper.position_bias + temper.noise * random.normal();
  const auto scene = parse_prompt(prompt);
  if (!scene) return mood;
  return kLogitsPerFit * (fit(*scene, first) - fit(*scene, second)) + mood;
}

int alignment_score(std::string_view prompt, const image::Rgb& picture, const Temper& temper,
                    Random random) {
  const double mood = kPointsPerLogit * temper.noise * random.normal();
  const auto scene = parse_prompt(prompt);
  const double points = scene ? 100 * fit(*scene, picture) : 50;
  return static_cast<int>(std::lround(std::clamp(points + mood, 0.0, 100.0)));
}

std::vector<std::string> variations(std::string_view prompt, std::size_t count, Random random) {
  const auto scene = parse_prompt(prompt);
  std::vector<std::string> prompts;
  while (prompts.size() < count) {
    const Scene next = scene ? vary(*scene, random) : draw_scene(random);
    std::string text = prompt_of(next, Style::plain, random);
    if (text != prompt && std::find(prompts.begin(), prompts.end(), text) == prompts.end())
      prompts.push_back(std::move(text));
  }
  return prompts;
}

std::string mutation(Style style, Random random) {
  return prompt_of(draw_scene(random), style, random);
}

}  // namespace evd::rehearsal
