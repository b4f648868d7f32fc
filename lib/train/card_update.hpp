#pragma once

#include <cstddef>

#include "train/adamw_element.hpp"

namespace evd::train {

/// Buffers of one rank's part of a bucket, on the card. All have `count` elements.
struct CardParameters {
  float* weights = nullptr;
  float* first_moment = nullptr;
  float* second_moment = nullptr;
  float* average = nullptr;
  const float* gradient = nullptr;
  void* computed = nullptr;  ///< gets the weights as they are computed with
  bool computed_is_bfloat16 = false;
  std::size_t count = 0;
  // Further averages, as many as there are.
  static constexpr int kMostMore = 3;
  int more = 0;
  float* more_averages[kMostMore] = {};
  float more_keep[kMostMore] = {};
  float more_add[kMostMore] = {};
};

/// AdamW in one pass over the card's memory, with the bits that update() gives on the processor,
/// and the cast to what is computed with. Returns before the card is done. InternalError when it
/// cannot be started.
void update_on_card(const Factors<float>& factors, const CardParameters& parameters);

}  // namespace evd::train
