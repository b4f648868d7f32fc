#pragma once

#include <cstdint>
#include <string_view>
#include <utility>

#include "h5/library.hpp"

namespace evd::h5 {

/// Owns an HDF5 identifier (hid_t). Move-only; closes quietly.
class Handle {
 public:
  using Close = int (*)(std::int64_t);

  Handle() = default;
  /// Takes over `id`; throws as fail() does when it is negative.
  Handle(std::int64_t id, Close closer, Failure kind, const Place& place, std::string_view call)
      : id_(check(id, kind, place, call)), close_(closer) {}
  ~Handle() { reset(); }
  Handle(Handle&& other) noexcept : id_(std::exchange(other.id_, -1)), close_(other.close_) {}
  Handle& operator=(Handle&& other) noexcept {
    if (this != &other) {
      reset();
      id_ = std::exchange(other.id_, -1);
      close_ = other.close_;
    }
    return *this;
  }

  [[nodiscard]] std::int64_t id() const { return id_; }
  /// Closes now and gives HDF5's result back; 0 when there was nothing to close.
  int close() {
    if (id_ < 0) return 0;
    const Lock lock;
    return close_(std::exchange(id_, -1));
  }

 private:
  void reset() noexcept { close(); }
  std::int64_t id_ = -1;
  Close close_ = nullptr;
};

}  // namespace evd::h5
