#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "teacher/ending.hpp"

namespace evd::teacher {

/// POST {base}/images/generations, as OpenAI's API and many hosts speak it (openai-python 3.3).
struct ImagesRequest {
  std::string model;
  std::string prompt;
  int width = 0;
  int height = 0;
  std::string quality;  ///< "" = not sent
};
[[nodiscard]] std::string images_request_body(const ImagesRequest& request);

/// Where things lie in an answer; views into its text, escapes kept.
struct ImagesAnswer {
  struct Item {
    std::string_view b64_json;
    std::string_view revised_prompt;
    bool has_url = false;
  };
  std::vector<Item> items;
  std::string_view model;
  std::string_view error;  ///< the error value, when there is one
  bool complete = false;   ///< the JSON was read to its end
};
/// Finds the pictures without building the JSON: an answer is one long string, and a DOM of it
/// costs 1.7 ms a picture of 100 KB.
[[nodiscard]] ImagesAnswer locate_images(std::string_view body);

/// The encoded picture of an item; nothing when its text is no base64.
[[nodiscard]] std::optional<std::vector<std::byte>> picture_bytes(const ImagesAnswer::Item& item);

/// What follows from a whole answer with status 2xx. The picture is examined to its last row.
[[nodiscard]] Ending examine_images(const http::Response& response, double now_unix_s);

}  // namespace evd::teacher
