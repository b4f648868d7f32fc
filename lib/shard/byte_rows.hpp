#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "core/hash.hpp"
#include "fs/read_file.hpp"
#include "shard/rows.hpp"

namespace evd::shard {

/// The byte column of a file, row by row, without HDF5: where it lies is asked of HDF5 once, on
/// construction; from then on a row is read by pread and compared with its checksum. Thread-safe.
class ByteRows {
 public:
  /// `name` of the column; the file's rows, checked as Table does. DataError when it is damaged.
  template <class Row>
  [[nodiscard]] static ByteRows of(const std::filesystem::path& path, const std::string& name);

  [[nodiscard]] std::size_t rows() const { return sums_.size(); }
  [[nodiscard]] std::uint64_t bytes(std::size_t row) const {
    return offsets_[row + 1] - offsets_[row];
  }
  /// A row in pieces, each read into `buffer` and given to `take` while it is in the processor's
  /// cache. DataError after the last when the file is damaged: what was taken is worth nothing
  /// then.
  void read(std::size_t row, std::span<std::byte> buffer,
            const std::function<void(Bytes)>& take) const;
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
