#pragma once

#include <algorithm>
#include <string>
#include <type_traits>
#include <vector>

#include "mpi/communicator.hpp"

namespace evd::mpi {

/// What rank 0 has, however many there are, on all ranks. Collective.
template <class T>
[[nodiscard]] std::vector<T> broadcast(const std::vector<T>& values, const Communicator& world) {
  static_assert(std::is_trivially_copyable_v<T>);
  const std::string sent(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T));
  const std::string text = world.broadcast(sent, 0);
  std::vector<T> received(text.size() / sizeof(T));
  std::copy(text.begin(), text.end(), reinterpret_cast<char*>(received.data()));
  return received;
}

}  // namespace evd::mpi
