#include "teacher/segment_input.hpp"

#include <algorithm>
#include <array>
#include <cstring>

#include "core/error.hpp"

namespace evd::teacher {

bool SegmentInput::begins_with(std::string_view magic) const {
  if (size() < magic.size()) return false;
  const auto bytes = read(0, magic.size());
  return std::memcmp(bytes.data(), magic.data(), magic.size()) == 0;
}

std::vector<std::byte> SegmentInput::read(std::uint64_t offset, std::uint64_t bytes) const {
  // Before memory is taken: the length may come from a damaged file.
  if (offset > size() || bytes > size() - offset) throw DataError("the file ends inside a record");
  std::vector<std::byte> out(bytes);
  file_.read_at(offset, out);
  return out;
}

std::optional<Frame> SegmentInput::frame_at(std::uint64_t offset) const {
  if (offset > size() || size() - offset < kFrameBytes) return std::nullopt;
  std::array<std::byte, kFrameBytes> bytes;
  file_.read_at(offset, bytes);
  const auto frame = parse_frame(bytes);
  if (!frame || frame->record_bytes() > size() - offset) return std::nullopt;
  return frame;
}

std::optional<SegmentInput::Found> SegmentInput::next_frame(std::uint64_t offset) const {
  if (const auto frame = frame_at(offset)) return Found{*frame, offset};
  return search(offset);
}

// Looks for the next frame behind damage, a window at a time.
std::optional<SegmentInput::Found> SegmentInput::search(std::uint64_t offset) const {
  constexpr std::uint64_t kWindow = 1 << 20;
  std::uint32_t magic = kFrameMagic;
  std::array<char, sizeof magic> pattern;
  std::memcpy(pattern.data(), &magic, sizeof magic);
  for (std::uint64_t begin = offset; begin + kFrameBytes <= size(); begin += kWindow) {
    const auto window = read(begin, std::min(kWindow + pattern.size() - 1, size() - begin));
    const std::string_view text(reinterpret_cast<const char*>(window.data()), window.size());
    const std::string_view wanted(pattern.data(), pattern.size());
    for (std::size_t at = text.find(wanted); at != std::string_view::npos;
         at = text.find(wanted, at + 1))
      if (const auto frame = frame_at(begin + at)) return Found{*frame, begin + at};
  }
  return std::nullopt;
}

}  // namespace evd::teacher
