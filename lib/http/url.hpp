#pragma once

#include <string>

namespace evd::http {

/// What is known of a service's address without asking anybody.
struct Url {
  std::string scheme;
  std::string host;
  int port = 0;
  bool loopback = false;  ///< localhost, 127.0.0.0/8 or ::1
};

/// Parses an absolute http or https URL. ConfigurationError naming `what` for another scheme, for
/// user names and passwords in it (they would end in logs), for a query or a fragment.
[[nodiscard]] Url parse_url(const std::string& text, const std::string& what);

}  // namespace evd::http
