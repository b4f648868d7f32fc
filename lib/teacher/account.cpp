#include "teacher/account.hpp"

#include <cmath>
#include <cstring>

#include "http/url.hpp"

namespace evd::teacher {
namespace {

std::string endpoint(const ServiceOptions& options) {
  std::string url = options.base_url;
  while (!url.empty() && url.back() == '/') url.pop_back();
  return url + (options.wire == Wire::openai_chat ? "/chat/completions" : "/images/generations");
}

std::shared_ptr<const http::Headers> make_headers(const Secret& secret) {
  auto headers = std::make_shared<http::Headers>();
  headers->add("Content-Type", "application/json");
  headers->add("Accept", "application/json");
  headers->add("Expect", "");  // else curl waits a second before it sends a large body
  if (!secret.empty()) {
    std::string bearer = "Bearer ";
    bearer.append(secret.reveal());
    headers->add("Authorization", bearer);
    explicit_bzero(bearer.data(), bearer.size());
  }
  return headers;
}

}  // namespace

Account::Account(const ServiceOptions& options, Secret secret, double patience_s, const Log& log)
    : health(patience_s),
      options_(options),
      secret_(std::move(secret)),
      url_(endpoint(options)),
      headers_(make_headers(secret_)) {
  const auto url = http::parse_url(options.base_url, "base_url of " + options.name);
  if (url.scheme == "http" && !url.loopback)
    log.warning(options.name + " is reached over plain http: anybody on the way to " + url.host +
                " can read the prompts" + (secret_.empty() ? "" : " and the key"));
}

std::int64_t Account::price_microusd() const { return std::llround(options_.price_usd * 1e6); }

http::Request Account::request(std::string body) const {
  return {
      .url = url_,
      .body = std::move(body),
      .headers = headers_,
      .limits = {.connect_s = options_.connect_timeout_s,
                 .first_byte_s = options_.first_byte_timeout_s,
                 .total_s = options_.total_timeout_s,
                 .answer_bytes = static_cast<std::uint64_t>(options_.max_answer_mib * 1048576)}};
}

}  // namespace evd::teacher
