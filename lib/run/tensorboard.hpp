#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "fs/file.hpp"

namespace evd::run {

/// An encoded picture as a summary holds it.
struct SummaryImage {
  int width = 0;
  int height = 0;
  std::span<const std::byte> png;
};

/// CRC-32C (Castagnoli) of `bytes`, as TFRecord frames use it.
[[nodiscard]] std::uint32_t crc32c(std::span<const std::byte> bytes);

/// One of TensorBoard's event files: TFRecord frames (length, masked CRC-32C of it, message, masked
/// CRC-32C of that), each an Event message of tensorflow/core/util/event.proto. One writer, one
/// life. What it says is derived from other files, so a disk that refuses it costs no training: the
/// first failure is told, and nothing is written any more.
class EventFile {
 public:
  /// Makes `folder` and, in it, a file of this life's own. `first_step`: what earlier lives have
  /// written from it on is void, their steps are done again (a session start, which TensorBoard
  /// obeys), so that curves do not double.
  EventFile(const std::filesystem::path& folder, std::string_view life, std::int64_t first_step,
            const Log& log);

  /// Shown once flush() has been called.
  void scalar(std::string_view tag, std::int64_t step, double value);
  void image(std::string_view tag, std::int64_t step, const SummaryImage& image);
  /// Hands what has been added to the file system, without waiting for the disk.
  void flush();

 private:
  void event(std::int64_t step, std::string_view field);
  std::optional<fs::AppendFile> file_;
  std::string pending_;
  const Log& log_;
};

}  // namespace evd::run
