#include "http/trust.hpp"

#include <curl/curl.h>

namespace evd::http {

TrustStore trust_store() {
  const auto* info = curl_version_info(CURLVERSION_NOW);
  const auto text = [](const char* value) { return std::string(value != nullptr ? value : ""); };
  return {text(info->cainfo), text(info->capath), text(info->ssl_version)};
}

}  // namespace evd::http
