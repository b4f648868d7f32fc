#include "nn/zip_archive.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

#include "core/error.hpp"

namespace evd::nn {
namespace {

constexpr std::uint32_t kLocal = 0x04034b50;
constexpr std::uint32_t kCentral = 0x02014b50;
constexpr std::uint32_t kEnd = 0x06054b50;
constexpr std::uint32_t kEnd64 = 0x06064b50;
constexpr std::uint32_t kLocator64 = 0x07064b50;
constexpr std::size_t kLocalBytes = 30;
constexpr std::size_t kCentralBytes = 46;
constexpr std::size_t kEndBytes = 22;
constexpr std::size_t kEnd64Bytes = 56;
constexpr std::size_t kLocator64Bytes = 20;
constexpr std::uint64_t kIn64 = 0xffffffff;  // the true value stands in the ZIP64 field

class Reader {
 public:
  Reader(Bytes file, const std::string& where) : file_(file), where_(where) {}

  [[noreturn]] void refuse(const std::string& problem) const {
    throw DataError(where_ + ": not a readable ZIP file (" + problem + ")");
  }
  [[nodiscard]] Bytes view(std::uint64_t offset, std::uint64_t bytes) const {
    if (offset > file_.size() || bytes > file_.size() - offset) refuse("it is cut short");
    return file_.subspan(offset, bytes);
  }
  [[nodiscard]] std::uint64_t number(std::uint64_t offset, std::size_t bytes) const {
    const Bytes raw = view(offset, bytes);
    std::uint64_t value = 0;
    for (std::size_t i = bytes; i-- > 0;)
      value = value << 8 | std::to_integer<std::uint64_t>(raw[i]);
    return value;
  }
  [[nodiscard]] std::string text(std::uint64_t offset, std::uint64_t bytes) const {
    const Bytes raw = view(offset, bytes);
    return {reinterpret_cast<const char*>(raw.data()), raw.size()};
  }
  [[nodiscard]] std::uint64_t size() const { return file_.size(); }

 private:
  Bytes file_;
  const std::string& where_;
};

struct Directory {
  std::uint64_t entries = 0;
  std::uint64_t offset = 0;
};

// The record that ends the file stands before a comment of at most 65,535 bytes.
std::optional<std::uint64_t> find_end(const Reader& file) {
  if (file.size() < kEndBytes) return std::nullopt;
  const std::uint64_t last = file.size() - kEndBytes;
  for (std::uint64_t back = 0; back <= std::min<std::uint64_t>(last, 65'535); ++back)
    if (file.number(last - back, 4) == kEnd && file.number(last - back + 20, 2) == back)
      return last - back;
  return std::nullopt;
}

Directory find_directory(const Reader& file) {
  const auto end = find_end(file);
  if (!end) file.refuse("its end is missing: cut short, or something else");
  if (*end >= kLocator64Bytes && file.number(*end - kLocator64Bytes, 4) == kLocator64) {
    const std::uint64_t end64 = file.number(*end - kLocator64Bytes + 8, 8);
    static_cast<void>(file.view(end64, kEnd64Bytes));
    if (file.number(end64, 4) != kEnd64) file.refuse("its ZIP64 record is missing");
    return {file.number(end64 + 32, 8), file.number(end64 + 48, 8)};
  }
  return {file.number(*end + 10, 2), file.number(*end + 16, 4)};
}

// Replaces the values that stand in the ZIP64 field, in their fixed order.
void read_extra(const Reader& file, std::uint64_t offset, std::uint64_t bytes,
                std::initializer_list<std::uint64_t*> values) {
  const std::uint64_t end = offset + bytes;
  while (end - offset >= 4) {
    const std::uint64_t id = file.number(offset, 2);
    const std::uint64_t length = file.number(offset + 2, 2);
    offset += 4;
    if (length > end - offset) file.refuse("an extra field is too long");
    std::uint64_t at = offset;
    if (id == 1) {
      for (std::uint64_t* value : values) {
        if (*value != kIn64) continue;
        if (offset + length - at < 8) file.refuse("a ZIP64 field is too short");
        *value = file.number(at, 8);
        at += 8;
      }
    }
    offset += length;
  }
}

}  // namespace

std::map<std::string, Bytes, std::less<>> stored_members(Bytes bytes, const std::string& where) {
  const Reader file(bytes, where);
  const Directory directory = find_directory(file);
  std::map<std::string, Bytes, std::less<>> members;
  std::uint64_t at = directory.offset;
  for (std::uint64_t i = 0; i < directory.entries; ++i) {
    static_cast<void>(file.view(at, kCentralBytes));
    if (file.number(at, 4) != kCentral) file.refuse("its directory is damaged");
    const std::uint64_t flags = file.number(at + 8, 2);
    const std::uint64_t method = file.number(at + 10, 2);
    std::uint64_t packed = file.number(at + 20, 4);
    std::uint64_t plain = file.number(at + 24, 4);
    const std::uint64_t name_bytes = file.number(at + 28, 2);
    const std::uint64_t extra_bytes = file.number(at + 30, 2);
    const std::uint64_t comment_bytes = file.number(at + 32, 2);
    std::uint64_t local = file.number(at + 42, 4);
    const std::string name = file.text(at + kCentralBytes, name_bytes);
    const std::uint64_t extra = at + kCentralBytes + name_bytes;
    static_cast<void>(file.view(extra, extra_bytes));
    read_extra(file, extra, extra_bytes, {&plain, &packed, &local});
    if ((flags & 1) != 0) file.refuse("a member is encrypted");
    at = extra + extra_bytes + comment_bytes;
    if (method != 0 || packed != plain) continue;
    static_cast<void>(file.view(local, kLocalBytes));
    if (file.number(local, 4) != kLocal) file.refuse("a member does not begin where it should");
    const std::uint64_t begin =
        local + kLocalBytes + file.number(local + 26, 2) + file.number(local + 28, 2);
    if (!members.emplace(name, file.view(begin, plain)).second)
      file.refuse("a name stands twice in its directory");
  }
  return members;
}

}  // namespace evd::nn
