#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "fs/read_file.hpp"
#include "shard/rows.hpp"

namespace evd::shard {

/// The byte column of a file, row by row, without HDF5: where it lies is asked of HDF5 once, on
/// construction; from then on a row is one pread, and its checksum. Thread-safe.
class ByteRows {
 public:
  /// `name` of the column; the file's rows, checked as Table does. DataError when it is damaged.
  template <class Row>
  [[nodiscard]] static ByteRows of(const std::filesystem::path& path, const std::string& name);

  [[nodiscard]] std::size_t rows() const { return sums_.size(); }
  [[nodiscard]] std::uint64_t bytes(std::size_t row) const {
    return offsets_[row + 1] - offsets_[row];
  }
  /// Fills `out`, of bytes(row), and checks it: DataError when the file is damaged.
  void read(std::size_t row, std::span<std::byte> out) const;
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

  /// Gives the descriptor back; the next read opens the file again. For those who hold thousands of
  /// files.
  void close() const;

 private:
  [[nodiscard]] std::shared_ptr<const fs::ReadFile> file() const;

  std::filesystem::path path_;
  std::uint64_t begin_ = 0;  // of the column in the file
  std::vector<std::uint64_t> offsets_;
  std::vector<std::uint64_t> sums_;
  struct Held;
  std::shared_ptr<Held> held_;
};

}  // namespace evd::shard
