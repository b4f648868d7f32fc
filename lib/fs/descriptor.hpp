#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string_view>
#include <utility>

#include "core/hash.hpp"

namespace evd::fs {

/// Owns a file descriptor. Move-only.
class Descriptor {
 public:
  Descriptor() = default;
  /// open(2) with O_CLOEXEC; IoError naming `operation` when it fails.
  Descriptor(std::string_view operation, const std::filesystem::path& path, int flags,
             unsigned mode = 0);
  /// A file that was not there, for writing; nothing when the name is taken.
  [[nodiscard]] static std::optional<Descriptor> create(std::string_view operation,
                                                        const std::filesystem::path& path,
                                                        unsigned mode);
  ~Descriptor();
  Descriptor(Descriptor&& other) noexcept : number_(std::exchange(other.number_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept;

  [[nodiscard]] int number() const { return number_; }
  /// close(2), whose errors count: network file systems report a full disk here.
  void close(std::string_view operation, const std::filesystem::path& path);

 private:
  static int open(const std::filesystem::path& path, int flags, unsigned mode);
  int number_ = -1;
};

/// Writes all of `bytes` at the descriptor's place.
void write_all(std::string_view operation, const std::filesystem::path& path, int descriptor,
               Bytes bytes);
/// The same of pieces, one after another, many in a call.
void write_all(std::string_view operation, const std::filesystem::path& path, int descriptor,
               std::span<const Bytes> pieces);
/// Gives a new file the group of `directory` and its mode without the execute bits.
void inherit_from_directory(const std::filesystem::path& directory,
                            const std::filesystem::path& path, int descriptor);
/// The directory that holds `path`; "." for a bare name.
[[nodiscard]] std::filesystem::path directory_of(const std::filesystem::path& path);

}  // namespace evd::fs
