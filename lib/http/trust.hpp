#pragma once

#include <string>

namespace evd::http {

/// Where this curl looks for the certificates of those who vouch for services; empty = nowhere.
struct TrustStore {
  std::string file;
  std::string directory;
  std::string tls;  ///< the library that does it; empty = this curl speaks no TLS
};
[[nodiscard]] TrustStore trust_store();

}  // namespace evd::http
