#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <source_location>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "mpi/request.hpp"

namespace evd::mpi {

/// Throws InternalError naming the call, the caller and the library's reason.
void check(int code, std::string_view call,
           std::source_location where = std::source_location::current());

/// Owns MPI for the whole program; a local of main. Does not finalize while an exception unwinds:
/// the other ranks may sit in a collective, and finalizing then hangs them.
class Environment {
 public:
  Environment(int& argc, char**& argv);
  ~Environment();
  Environment(const Environment&) = delete;
  Environment& operator=(const Environment&) = delete;
};

enum class Reduce { sum, max, min };

struct Message {
  int source = 0;
  int tag = 0;
  std::vector<std::byte> bytes;
};

/// A communicator with MPI_ERRORS_RETURN. Move-only. Sizes are in elements. One thread calls it.
/// The destructor waits until every sent message is on its way, except while an exception unwinds:
/// then the other ranks may never take them, and nothing is waited for.
class Communicator {
 public:
  /// MPI_COMM_WORLD.
  [[nodiscard]] static Communicator world();
  ~Communicator();
  Communicator(Communicator&&) noexcept;
  Communicator& operator=(Communicator&&) noexcept;

  [[nodiscard]] int rank() const;
  [[nodiscard]] int size() const;
  /// Ranks that share this node's memory, split off collectively.
  [[nodiscard]] Communicator node() const;
  [[nodiscard]] Communicator duplicate() const;
  /// Ranks that give the same `color` (>= 0), in the order that they have here. Collective.
  [[nodiscard]] Communicator split(int color) const;

  void barrier() const;
  void broadcast(std::span<std::byte> bytes, int root) const;
  [[nodiscard]] std::string broadcast(std::string text, int root) const;
  [[nodiscard]] double all_reduce(double value, Reduce op) const;
  [[nodiscard]] std::int64_t all_reduce(std::int64_t value, Reduce op) const;
  /// In place, element by element; the same bits on every rank.
  void all_reduce(std::span<double> values, Reduce op) const;
  /// Sums the ranks' `values` while the caller computes. They are cut into one part per rank, in
  /// rank order, of `counts` elements each; `own` gets this rank's. Both must stay where they are
  /// until the request is done. Every rank starts its collectives in the same order.
  [[nodiscard]] Request start_reduce_scatter_sum(std::span<const float> values,
                                                 std::span<const int> counts,
                                                 std::span<float> own) const;
  /// In place: `values` are cut as above, and every rank gets the parts of the others.
  [[nodiscard]] Request start_all_gather(std::span<float> values,
                                         std::span<const int> counts) const;
  /// Gives `to[r]` to rank r; what rank r gave this one comes back as element r.
  [[nodiscard]] std::vector<std::vector<float>> all_to_all(
      std::span<const std::vector<float>> to) const;
  /// Bytes of every rank at root, in rank order; empty elsewhere.
  [[nodiscard]] std::vector<std::vector<std::byte>> gather(std::span<const std::byte> bytes,
                                                           int root) const;

  /// Two-sided messages that never block for long: send copies and completes in the background,
  /// poll takes one message if there is one. Tags: 0 to kMaxTag. Messages of one sender and tag
  /// come in the order they were sent.
  static constexpr int kMaxTag = 32'000;
  void send(int destination, int tag, std::span<const std::byte> bytes);
  [[nodiscard]] std::optional<Message> poll(int tag);
  /// Ends every rank of the job with this exit code.
  [[noreturn]] void abort(int exit_code) const;

  /// The raw handle as an integer-sized opaque value, for `mpi` internals only.
  struct State;
  [[nodiscard]] State& state() const { return *state_; }

 private:
  explicit Communicator(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace evd::mpi
