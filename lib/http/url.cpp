#include "http/url.hpp"

#include <cstdlib>
#include <memory>

#include <curl/curl.h>

#include "core/error.hpp"

namespace evd::http {
namespace {

struct Close {
  void operator()(CURLU* url) const { curl_url_cleanup(url); }
};

std::string part(CURLU* url, CURLUPart which, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, which, &text, flags) != CURLUE_OK) return {};
  std::string copy(text);
  curl_free(text);
  return copy;
}

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "[::1]" || host.rfind("127.", 0) == 0;
}

}  // namespace

Url parse_url(const std::string& text, const std::string& what) {
  const std::unique_ptr<CURLU, Close> url(curl_url());
  if (url == nullptr) throw InternalError("curl_url failed (out of memory)");
  // The text itself may hold a password, so it is not repeated in messages.
  if (curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK)
    throw ConfigurationError(what + " is no URL (write https://host/v1)");
  Url parsed{.scheme = part(url.get(), CURLUPART_SCHEME),
             .host = part(url.get(), CURLUPART_HOST),
             .port = std::atoi(part(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT).c_str())};
  if (parsed.scheme != "http" && parsed.scheme != "https")
    throw ConfigurationError(what + " has the scheme " + parsed.scheme + " (write https://)");
  if (!part(url.get(), CURLUPART_USER).empty() || !part(url.get(), CURLUPART_PASSWORD).empty())
    throw ConfigurationError(what + " holds a user name or password (use key_env or key_file)");
  if (!part(url.get(), CURLUPART_QUERY).empty() || !part(url.get(), CURLUPART_FRAGMENT).empty())
    throw ConfigurationError(what + " has a query or fragment (write the URL up to /v1)");
  parsed.loopback = is_loopback(parsed.host);
  return parsed;
}

}  // namespace evd::http
