#pragma once

#include <memory>

namespace evd::mpi {

/// A collective that is under way. Move-only. Progress is made inside test, wait and any other call
/// of this library, so a caller that computes for long should test now and then.
/// The destructor waits, except while an exception unwinds.
class Request {
 public:
  Request();  ///< done already
  ~Request();
  Request(Request&&) noexcept;
  Request& operator=(Request&&) noexcept;

  /// True once it is done; never blocks.
  [[nodiscard]] bool test();
  void wait();

  struct State;
  explicit Request(std::unique_ptr<State> state);

 private:
  std::unique_ptr<State> state_;
};

}  // namespace evd::mpi
