#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/option.hpp"

namespace evd::teacher {

enum class Wire : std::uint8_t { openai_images, openai_chat };

/// One service that is asked over HTTP: a teacher (`[[teacher]]`) or the VLM (`[vlm]`).
/// Keys never stand here, only where they are found.
struct ServiceOptions {
  std::string name;
  Wire wire = Wire::openai_images;
  std::string base_url;
  std::string model;
  std::string key_env;
  std::string key_file;
  double price_usd = 0.0;
  std::string quality;
  int min_side = 64;
  int max_side = 4096;
  int max_in_flight = 16;
  double requests_per_minute = 0;
  int max_attempts = 4;
  double connect_timeout_s = 10;
  double first_byte_timeout_s = 300;
  double total_timeout_s = 600;
  double max_answer_mib = 64;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("name", name, {"", "name in tables and figures", science});
    v("wire", wire, {"", "wire format", science});
    v("base_url", base_url, {"", "URL up to /v1; rehearsal = the embedded services", operation});
    v("model", model, {"", "model name as the service knows it", science});
    v("key_env", key_env, {"", "environment variable that holds the key", operation});
    v("key_file", key_file, {"", "file of mode 0600 that holds the key", operation});
    v("price_usd", price_usd, {"USD", "highest price of one answer", operation, 0, 1000});
    v("quality", quality, {"", "quality parameter, where the service has one", science});
    v("min_side", min_side, {"px", "smallest side it draws", science, 16, 16384});
    v("max_side", max_side, {"px", "largest side it draws", science, 16, 16384});
    v("max_in_flight", max_in_flight, {"requests", "at once, over all ranks", operation, 1, 4096});
    v("requests_per_minute", requests_per_minute, {"1/min", "0 = no limit", operation, 0, 1e9});
    v("max_attempts", max_attempts, {"", "of one request", operation, 1, 100});
    v("connect_timeout_s", connect_timeout_s,
      {"s", "of an attempt: until the connection stands", operation, 0.01, 3600});
    v("first_byte_timeout_s", first_byte_timeout_s,
      {"s", "of an attempt: from its start to the answer's first byte", operation, 0.01, 36000});
    v("total_timeout_s", total_timeout_s,
      {"s", "of an attempt: from its start to the answer's last byte", operation, 0.01, 36000});
    v("max_answer_mib", max_answer_mib,
      {"MiB", "larger answers are refused", operation, 0.001, 4096});
  }
};

}  // namespace evd::teacher

namespace evd {
template <>
struct EnumNames<teacher::Wire> {
  static constexpr std::array<std::string_view, 2> value = {"openai_images", "openai_chat"};
};
}  // namespace evd
