#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "h5/handle.hpp"
#include "h5/sparse_memory.hpp"
#include "h5/type.hpp"

namespace evd::h5 {

/// The bytes of a finished file.
class FileImage {
 public:
  explicit FileImage(SparseMemory memory) : memory_(std::move(memory)) {}
  [[nodiscard]] std::span<std::byte> bytes() { return memory_.bytes(); }

 private:
  SparseMemory memory_;
};

/// Builds an HDF5 file in memory, to be published by the caller: one path for all bytes that reach
/// a disk. Format of HDF5 1.10, whose metadata carries checksums. IoError when a call fails.
class MemoryFile {
 public:
  /// `name` only stands in messages.
  explicit MemoryFile(std::string name);
  ~MemoryFile();
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  /// One-dimensional dataset of `rows` elements; chunked with Fletcher32 (an empty one has
  /// neither).
  void write(const std::string& name, const Type& type, std::uint64_t rows,
             std::span<const std::byte> data);
  /// Variable-length UTF-8, contiguous and without checksums; no text may hold a zero byte.
  void write_variable(const std::string& name, std::span<const char* const> texts);
  /// Contiguous, unfiltered bytes to be filled in by the caller after finish(), at the offset given
  /// back (0 when `bytes` is 0), or to be written from where they are: until then they take no
  /// memory.
  [[nodiscard]] std::uint64_t reserve_bytes(const std::string& name, std::uint64_t bytes);

  /// Attributes of a dataset, or of the file when `object` is "/".
  void attribute(const std::string& object, const std::string& key, std::string_view text);
  void attribute(const std::string& object, const std::string& key, std::uint64_t number);
  void attribute(const std::string& object, const std::string& key,
                 std::span<const std::int32_t> numbers);

  /// Closes the file and gives its bytes.
  [[nodiscard]] FileImage finish();

 private:
  void raw_attribute(const std::string& object, const std::string& key, const Type& type,
                     std::size_t count, const void* data);
  [[nodiscard]] Place place(const std::string& object) const { return {name_, object}; }

  std::string name_;
  std::unique_ptr<SparseMemory> memory_;
  Handle file_;
};

}  // namespace evd::h5
