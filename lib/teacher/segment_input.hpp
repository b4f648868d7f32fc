#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "fs/read_file.hpp"
#include "teacher/segment_frame.hpp"

namespace evd::teacher {

/// Reads of a journal segment through a window, so that small records do not cost a system call
/// each and large payloads that nobody wants are not read. Inside `teacher` only.
class SegmentInput {
 public:
  /// IoError when it cannot be opened.
  explicit SegmentInput(const std::filesystem::path& file) : file_(file) {}

  [[nodiscard]] std::uint64_t size() const { return file_.size(); }
  [[nodiscard]] bool begins_with(std::string_view magic);
  /// Valid until the next call. DataError when the file ends before.
  [[nodiscard]] Bytes view(std::uint64_t offset, std::uint64_t bytes);
  /// The same to keep, past the window: for what is large.
  [[nodiscard]] std::vector<std::byte> read(std::uint64_t offset, std::uint64_t bytes) const;

  struct Found {
    Frame frame;
    std::uint64_t offset = 0;
  };
  /// The first whole record at or after `offset`; nothing at the end, where a torn one may lie.
  [[nodiscard]] std::optional<Found> next_frame(std::uint64_t offset);

 private:
  [[nodiscard]] std::optional<Frame> frame_at(std::uint64_t offset);
  [[nodiscard]] std::optional<Found> search(std::uint64_t offset);

  fs::ReadFile file_;
  std::vector<std::byte> window_;
  std::uint64_t window_begin_ = 0;
};

}  // namespace evd::teacher
