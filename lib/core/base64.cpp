#include "core/base64.hpp"

#include <openssl/evp.h>

#include "core/error.hpp"

namespace evd {

std::string base64(Bytes bytes) {
  // EVP_EncodeBlock counts in int and ends the text with a zero byte.
  if (bytes.size() > (1ULL << 30)) throw DataError("more than 1 GiB cannot be sent as base64");
  std::string text(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int written = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(text.data()),
                                      reinterpret_cast<const unsigned char*>(bytes.data()),
                                      static_cast<int>(bytes.size()));
  text.resize(static_cast<std::size_t>(written));
  return text;
}

}  // namespace evd
