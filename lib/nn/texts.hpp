#pragma once

#include <map>
#include <string>
#include <string_view>

#include "core/error.hpp"
#include "nn/text_encoder.hpp"

namespace evd::nn {

/// Where the states of prompts come from. Several threads may ask.
class Texts {
 public:
  virtual ~Texts() = default;
  /// Channels of a token.
  [[nodiscard]] virtual int width() const = 0;
  [[nodiscard]] virtual TextStates states(std::string_view prompt) const = 0;
};

/// A few prompts whose states are there already.
class KnownTexts final : public Texts {
 public:
  using States = std::map<std::string, TextStates, std::less<>>;
  KnownTexts(int width, States states) : width_(width), states_(std::move(states)) {}
  [[nodiscard]] int width() const override { return width_; }
  /// InternalError for another prompt.
  [[nodiscard]] TextStates states(std::string_view prompt) const override {
    const auto found = states_.find(prompt);
    if (found == states_.end())
      throw InternalError("the states of a prompt of " + std::to_string(prompt.size()) +
                          " bytes are not known");
    return found->second;
  }

 private:
  int width_;
  States states_;
};

}  // namespace evd::nn
