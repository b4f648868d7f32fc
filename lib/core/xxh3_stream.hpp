#pragma once

#include <cstdint>
#include <memory>

#include "core/hash.hpp"

namespace evd {

/// xxh3_64 of bytes that come in pieces.
class Xxh3Stream {
 public:
  Xxh3Stream();
  ~Xxh3Stream();
  Xxh3Stream(Xxh3Stream&&) noexcept;
  Xxh3Stream& operator=(Xxh3Stream&&) noexcept;

  Xxh3Stream& update(Bytes bytes);
  /// Of everything so far.
  [[nodiscard]] std::uint64_t value() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd
