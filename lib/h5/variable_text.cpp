#include "h5/variable_text.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <unordered_map>

#include "core/error.hpp"

namespace evd::h5 {
namespace {

constexpr std::size_t kReferenceBytes = 16;  // length u32, collection address u64, index u32
constexpr std::size_t kHeaderBytes = 16;     // "GCOL", version, 3 reserved, size u64
constexpr std::size_t kObjectBytes = 16;     // index u16, count u16, reserved u32, size u64

std::uint64_t little(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = bytes.size(); i-- > 0;)
    value = value << 8 | std::to_integer<unsigned>(bytes[i]);
  return value;
}

class Heap {
 public:
  Heap(const Place& place, std::uint64_t file_bytes, const ReadAt& read_at)
      : place_(place), file_bytes_(file_bytes), read_at_(read_at) {}

  std::string text(std::span<const std::byte> reference) {
    const std::uint64_t length = little(reference.first(4));
    if (length == 0) return {};
    const auto& objects = collection(little(reference.subspan(4, 8)));
    const std::uint64_t index = little(reference.subspan(12, 4));
    const auto found = objects.find(index);
    if (found == objects.end() || found->second.size() < length)
      refuse("a reference leads to no text");
    return {reinterpret_cast<const char*>(found->second.data()), length};
  }

 private:
  using Objects = std::unordered_map<std::uint64_t, std::span<const std::byte>>;

  const Objects& collection(std::uint64_t address) {
    const auto known = collections_.find(address);
    if (known != collections_.end()) return known->second;
    const auto& bytes = load(address);
    Objects objects;
    for (std::size_t at = kHeaderBytes; bytes.size() - at >= kObjectBytes;) {
      const std::span object = std::span<const std::byte>(bytes).subspan(at);
      const std::uint64_t index = little(object.first(2));
      const std::uint64_t size = little(object.subspan(8, 8));
      if (index == 0) break;  // the free space, always last
      const std::size_t room = object.size() - kObjectBytes;
      if (size > room) refuse("a text reaches beyond its heap");
      objects[index] = object.subspan(kObjectBytes, size);
      at += kObjectBytes + std::min<std::size_t>((size + 7) / 8 * 8, room);
    }
    return collections_.emplace(address, std::move(objects)).first->second;
  }

  const std::vector<std::byte>& load(std::uint64_t address) {
    std::array<std::byte, kHeaderBytes> header{};
    if (address > file_bytes_ || file_bytes_ - address < header.size())
      refuse("a reference leads out of the file");
    read_at_(address, header);
    if (std::memcmp(header.data(), "GCOL\x01", 5) != 0) refuse("a reference leads to no heap");
    const std::uint64_t size = little(std::span(header).subspan(8, 8));
    // Collections never overlap, so all together fit into the file: a bound on the memory used.
    total_ += std::min(size, file_bytes_);
    if (size < kHeaderBytes || size > file_bytes_ - address || total_ > file_bytes_)
      refuse("a heap is larger than the file");
    buffers_.emplace_back(size);
    read_at_(address, buffers_.back());
    return buffers_.back();
  }

  [[noreturn]] void refuse(const std::string& why) const {
    throw DataError(place_.path + ": " + place_.object + ": " + why);
  }

  Place place_;
  std::uint64_t file_bytes_;
  const ReadAt& read_at_;
  std::uint64_t total_ = 0;
  std::unordered_map<std::uint64_t, Objects> collections_;
  std::vector<std::vector<std::byte>> buffers_;
};

}  // namespace

std::vector<std::string> read_variable_texts(const Dataset& dataset, std::uint64_t file_bytes,
                                             const ReadAt& read_at) {
  std::vector<std::string> texts(dataset.rows());
  if (dataset.rows() == 0) return texts;
  if (dataset.layout() != Layout::contiguous ||
      dataset.extent().bytes / kReferenceBytes < dataset.rows())
    throw DataError(dataset.place().path + ": " + dataset.place().object + ": not contiguous");
  std::vector<std::byte> references(dataset.rows() * kReferenceBytes);
  read_at(dataset.extent().offset, references);
  Heap heap(dataset.place(), file_bytes, read_at);
  for (std::size_t i = 0; i < texts.size(); ++i)
    texts[i] = heap.text(std::span(references).subspan(i * kReferenceBytes, kReferenceBytes));
  return texts;
}

}  // namespace evd::h5
