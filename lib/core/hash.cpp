#include "core/hash.hpp"

#include <openssl/evp.h>
#include <xxhash.h>
// Picks the widest vectors that the processor has; the library's plain entry was built for all.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

#include "core/error.hpp"

namespace evd {
namespace {

void check(int code) {
  if (code != 1) throw InternalError("SHA-256 failed inside OpenSSL");
}

}  // namespace

struct Sha256Stream::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  State() { check(EVP_DigestInit_ex(context, EVP_sha256(), nullptr)); }
  ~State() { EVP_MD_CTX_free(context); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Sha256Stream::Sha256Stream() : state_(std::make_unique<State>()) {}
Sha256Stream::~Sha256Stream() = default;
Sha256Stream::Sha256Stream(Sha256Stream&&) noexcept = default;
Sha256Stream& Sha256Stream::operator=(Sha256Stream&&) noexcept = default;

Sha256Stream& Sha256Stream::update(Bytes bytes) {
  check(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()));
  return *this;
}

Sha256Stream& Sha256Stream::field(std::string_view text) {
  return field(static_cast<std::uint64_t>(text.size())).update(text);
}

Sha256Stream& Sha256Stream::field(std::uint64_t number) {
  std::array<std::byte, 8> raw{};
  for (auto& byte : raw) {
    byte = static_cast<std::byte>(number & 0xff);
    number >>= 8;
  }
  return update(raw);
}

Sha256 Sha256Stream::finish() {
  std::array<std::uint8_t, 32> raw{};
  check(EVP_DigestFinal_ex(state_->context, raw.data(), nullptr));
  check(EVP_DigestInit_ex(state_->context, EVP_sha256(), nullptr));
  return Sha256(raw);
}

Sha256 sha256(Bytes bytes) { return Sha256Stream().update(bytes).finish(); }

std::uint64_t xxh3_64(Bytes bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace evd
