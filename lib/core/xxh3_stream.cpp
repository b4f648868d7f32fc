#include "core/xxh3_stream.hpp"

#include <new>

#include <xxhash.h>
// As in hash.cpp: the widest vectors that the processor has.
#if defined(__x86_64__) && __has_include(<xxh_x86dispatch.h>)
#include <xxh_x86dispatch.h>
#endif

namespace evd {

struct Xxh3Stream::State {
  XXH3_state_t* xxh3 = XXH3_createState();
  State() {
    if (xxh3 == nullptr) throw std::bad_alloc();
    XXH3_64bits_reset(xxh3);
  }
  ~State() { XXH3_freeState(xxh3); }
  State(const State&) = delete;
  State& operator=(const State&) = delete;
};

Xxh3Stream::Xxh3Stream() : state_(std::make_unique<State>()) {}
Xxh3Stream::~Xxh3Stream() = default;
Xxh3Stream::Xxh3Stream(Xxh3Stream&&) noexcept = default;
Xxh3Stream& Xxh3Stream::operator=(Xxh3Stream&&) noexcept = default;

Xxh3Stream& Xxh3Stream::update(Bytes bytes) {
  XXH3_64bits_update(state_->xxh3, bytes.data(), bytes.size());
  return *this;
}

std::uint64_t Xxh3Stream::value() const { return XXH3_64bits_digest(state_->xxh3); }

}  // namespace evd
