#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "fs/descriptor.hpp"

namespace evd::train {

/// What a rank is busy with, in the order of a step: of two ranks in one step the one with the
/// earlier operation is behind.
enum class Operation : std::uint8_t {
  load,
  extraction,
  data,
  forward,
  backward,
  reduce,
  update,
  validation,
  checkpoint,
  publish
};

/// What one rank last said of itself.
struct BoardRecord {
  int attempt = 0;  ///< life of the stage; records of other lives say nothing
  int rank = 0;
  std::int64_t step = 0;
  Operation operation = Operation::load;
  std::int64_t sequence = 0;  ///< operations that the rank has begun
  int beat = 0;               ///< grows with every writing: a record that stands still is old
  std::int64_t since_ms = 0;  ///< UTC, when the operation began
};

/// The record as a line of 64 bytes, so that `cat` shows the board; numbers too long are cut to
/// their last digits.
[[nodiscard]] std::string to_line(const BoardRecord& record);
/// Nothing when it is no such line (a rank that has not begun, a torn one).
[[nodiscard]] std::optional<BoardRecord> parse_record(std::string_view line);

/// One file in the stage's directory, in which every rank has 64 bytes of its own. It works where
/// messages do not: a rank that hangs in MPI can still be asked what it does.
class Board {
 public:
  static constexpr std::size_t kRecordBytes = 64;
  /// Opens the file, made if it is not there. IoError when that fails.
  explicit Board(std::filesystem::path file);
  /// Puts a record at its rank's place. IoError.
  void write(const BoardRecord& record) const;
  /// Records of ranks 0 to `ranks` - 1 of one life, as other nodes see them now. IoError.
  [[nodiscard]] std::vector<std::optional<BoardRecord>> read(int ranks, int attempt) const;

 private:
  std::filesystem::path file_;
  fs::Descriptor descriptor_;
};

}  // namespace evd::train

namespace evd {
template <>
struct EnumNames<train::Operation> {
  static constexpr std::array<std::string_view, 10> value = {
      "load",   "extraction", "data",       "forward",    "backward",
      "reduce", "update",     "validation", "checkpoint", "publish"};
};
}  // namespace evd
