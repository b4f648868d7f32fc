#pragma once

#include <string>
#include <string_view>

#include "core/hash.hpp"

namespace evd::teacher {

/// What is asked of a service; equal requests have equal keys whatever the round or stage.
struct Request {
  std::string service;
  std::string model;
  std::string prompt;  ///< as sent; for the VLM the question's text
  int width = 0;       ///< 0 for the VLM
  int height = 0;
  std::string parameters;  ///< quality, temperature, template version, images' SHA-256, ...
  int sample_index = 0;    ///< counts deliberate repeats of the same question
};

[[nodiscard]] RequestKey request_key(const Request& request);

}  // namespace evd::teacher
