#include "teacher/segment_input.hpp"

#include <algorithm>
#include <cstring>

#include "core/error.hpp"

namespace evd::teacher {
namespace {

// Holds some fifty announcements; more would be read in vain before each picture.
constexpr std::uint64_t kWindowBytes = 8 << 10;

}  // namespace

bool SegmentInput::begins_with(std::string_view magic) {
  if (size() < magic.size()) return false;
  const auto bytes = view(0, magic.size());
  return std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

Bytes SegmentInput::view(std::uint64_t offset, std::uint64_t bytes) {
  // Before memory is taken: the length may come from a damaged file.
  if (offset > size() || bytes > size() - offset) throw DataError("the file ends inside a record");
  if (offset < window_begin_ || offset + bytes > window_begin_ + window_.size()) {
    window_.resize(std::min(std::max(bytes, kWindowBytes), size() - offset));
    window_begin_ = offset;
    file_.read_at(offset, window_);
  }
  return Bytes(window_).subspan(offset - window_begin_, bytes);
}

std::vector<std::byte> SegmentInput::read(std::uint64_t offset, std::uint64_t bytes) const {
  if (offset > size() || bytes > size() - offset) throw DataError("the file ends inside a record");
  std::vector<std::byte> all(bytes);
  file_.read_at(offset, all);
  return all;
}

std::optional<Frame> SegmentInput::frame_at(std::uint64_t offset) {
  if (offset > size() || size() - offset < kFrameBytes) return std::nullopt;
  const auto frame = parse_frame(view(offset, kFrameBytes));
  if (!frame || frame->record_bytes() > size() - offset) return std::nullopt;
  return frame;
}

std::optional<SegmentInput::Found> SegmentInput::next_frame(std::uint64_t offset) {
  if (const auto frame = frame_at(offset)) return Found{*frame, offset};
  return search(offset);
}

// Looks for the next frame behind damage, a window at a time.
std::optional<SegmentInput::Found> SegmentInput::search(std::uint64_t offset) {
  constexpr std::uint64_t kWindow = 1 << 20;
  std::uint32_t magic = kFrameMagic;
  std::array<char, sizeof magic> pattern;
  std::memcpy(pattern.data(), &magic, sizeof magic);
  for (std::uint64_t begin = offset; begin + kFrameBytes <= size(); begin += kWindow) {
    const auto seen = view(begin, std::min(kWindow + pattern.size() - 1, size() - begin));
    const std::vector<std::byte> window(seen.begin(), seen.end());  // frame_at() moves the view
    const std::string_view text(reinterpret_cast<const char*>(window.data()), window.size());
    const std::string_view wanted(pattern.data(), pattern.size());
    for (std::size_t at = text.find(wanted); at != std::string_view::npos;
         at = text.find(wanted, at + 1))
      if (const auto frame = frame_at(begin + at)) return Found{*frame, begin + at};
  }
  return std::nullopt;
}

}  // namespace evd::teacher
