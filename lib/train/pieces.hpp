#pragma once

#include <cstddef>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "train/state.hpp"

namespace evd::train {

/// Values of one buffer at fixed element positions, as one file of a checkpoint holds them.
struct Piece {
  Kind kind = Kind::master;
  std::size_t number = 0;
  std::vector<float> values;
};

/// How a state is cut into files that do not depend on the world size: the trained elements of a
/// buffer, parameter after parameter in the layout's order and without the gaps between them, are
/// cut every `piece_elements`. Each piece has one writer; who reads at another world size reads the
/// ranges that it owns.
class Pieces {
 public:
  explicit Pieces(const Sharding& sharding, std::size_t piece_elements = kPieceElements,
                  std::size_t averages = 1);

  /// Pieces of each buffer.
  [[nodiscard]] std::size_t count() const { return (elements_ + step_ - 1) / step_; }
  [[nodiscard]] std::size_t piece_elements() const { return step_; }
  /// Elements before each parameter, and behind the last.
  [[nodiscard]] const std::vector<std::size_t>& offsets() const { return offsets_; }
  [[nodiscard]] static std::string file_name(Kind kind, std::size_t number);

  /// Rounds of collect() that a whole state takes.
  [[nodiscard]] std::size_t rounds() const;
  /// Brings one piece, or none, to each rank from the ranks that own its elements. Collective.
  [[nodiscard]] std::optional<Piece> collect(const State& state, std::size_t round) const;
  /// Bytes of the pieces that this rank writes.
  [[nodiscard]] std::size_t own_bytes() const;

  /// Fills this rank's parts of the state, and its portion of the node's weights, from the files in
  /// `directory`. Averages behind the first go on from that of their decay, of which the files hold
  /// `more_decays`; one of another decay begins as a copy of the weights. Collective over the node.
  /// DataError when a piece is missing or has another size.
  void restore(State& state, const std::filesystem::path& directory,
               std::span<const double> more_decays) const;
  /// One buffer as the layout's flat buffer, from the files in `directory`.
  [[nodiscard]] std::vector<float> read_flat(Kind kind,
                                             const std::filesystem::path& directory) const;

  /// 64 MiB a file.
  static constexpr std::size_t kPieceElements = std::size_t{1} << 24;

 private:
  /// Elements that lie together in a flat buffer and in the unpadded order.
  struct Run {
    std::size_t bucket = 0;
    std::size_t flat = 0;
    std::size_t element = 0;
    std::size_t count = 0;
  };
  [[nodiscard]] std::vector<Run> runs(Place place, Range elements) const;
  [[nodiscard]] Range elements_of(std::size_t piece) const;
  [[nodiscard]] std::vector<float> pack(const State& state, Kind kind, std::size_t piece) const;
  /// Calls use(run, values) for every run of `place`, piece after piece.
  template <class Use>
  void read_runs(Kind kind, Place place, const std::filesystem::path& directory, Use use) const;

  const Sharding& sharding_;
  std::size_t step_;
  std::span<const Kind> kinds_;
  std::vector<std::size_t> offsets_;
  std::size_t elements_;
};

}  // namespace evd::train
