#pragma once

#include <array>
#include <cstddef>
#include <vector>

#include "image/image.hpp"
#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// One thing that a prompt asks for, and whether a picture shows it.
struct Check {
  std::size_t item = 0;
  Attribute attribute = Attribute::colour;
  bool right = false;
};

/// Measures how much of a meant scene a picture shows, without the VLM and without any code of its
/// reader: the picture, at 32 x 32 and slightly blurred, is compared with the perfect painter's
/// picture of everything that could stand in each place, and the nearest one (least squares)
/// says what stands there. A shape, size, count, word or pose counts only where the colour is right
/// too, a colour only in the right place, so that a random picture scores near 0.
class Yardstick {
 public:
  static constexpr int kSide = 32;

  /// Paints all canonical pictures once.
  Yardstick();

  /// One check per attribute of each item (the place only of a lone item). DataError when the
  /// picture is smaller than 32 px.
  [[nodiscard]] std::vector<Check> check(const Scene& meant, const image::Rgb& picture) const;
  /// Share of the checks that are right: the alignment of one picture.
  [[nodiscard]] double alignment(const Scene& meant, const image::Rgb& picture) const;

 private:
  static constexpr std::size_t kValues = std::size_t{3} * kSide * kSide;
  using Picture = std::array<float, kValues>;  // (height, width, 3), 0..1
  struct Candidate {
    Item item;
    bool nothing = false;
    Picture picture{};
  };

  [[nodiscard]] static Picture prepared(const image::Rgb& picture);
  [[nodiscard]] const Candidate& nearest(const std::vector<Candidate>& candidates,
                                         const Picture& picture, Place region) const;

  std::vector<Candidate> lone_;
  std::array<std::vector<Candidate>, kPlaces> beside_;  // by Place; the middle stays empty
};

/// Mean of values with its 95 % interval (normal approximation over prompts).
struct Estimate {
  double mean = 0;
  double low = 0;
  double high = 0;
  std::size_t count = 0;
};
[[nodiscard]] Estimate estimate(const std::vector<double>& values);

}  // namespace evd::rehearsal
