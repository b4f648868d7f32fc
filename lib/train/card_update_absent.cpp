// For programs without CUDA; card_update.cu takes its place elsewhere.
#include "core/error.hpp"
#include "train/card_update.hpp"

namespace evd::train {

void update_on_card(const Factors<float>&, const CardParameters&) {
  throw InternalError("the card's optimizer was called in a program without CUDA");
}

}  // namespace evd::train
