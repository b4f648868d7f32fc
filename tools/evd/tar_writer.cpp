#include "tar_writer.hpp"

#include <array>
#include <cstddef>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::hands {
namespace {

constexpr std::size_t kBlockBytes = 512;

// A field of a header: where it begins and how long it is (IEEE 1003.1, pax, "ustar interchange
// format").
struct Field {
  std::size_t offset;
  std::size_t bytes;
};
constexpr Field kName{0, 100};
constexpr Field kMode{100, 8};
constexpr Field kUser{108, 8};
constexpr Field kGroup{116, 8};
constexpr Field kSize{124, 12};
constexpr Field kTime{136, 12};
constexpr Field kChecksum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kMagic{257, 8};

class Header {
 public:
  Header() { block_.fill('\0'); }
  void put(const Field& field, std::string_view text) {
    text.copy(&block_[field.offset], field.bytes);
  }
  // Octal digits and a zero byte, as wide as the field.
  void put(const Field& field, std::size_t number) {
    put(field, format("%0*zo", static_cast<int>(field.bytes - 1), number));
  }
  // The sum of all bytes, with the field itself taken as blanks.
  void put_checksum() {
    put(kChecksum, "        ");
    std::size_t sum = 0;
    for (const char c : block_) sum += static_cast<unsigned char>(c);
    put(kChecksum, format("%06zo", sum) + std::string("\0 ", 2));
  }
  [[nodiscard]] std::string_view text() const { return {block_.data(), block_.size()}; }

 private:
  std::array<char, kBlockBytes> block_;
};

}  // namespace

void TarWriter::add(std::string_view name, Bytes content) {
  if (name.size() > kName.bytes || content.size() >> 33 != 0)
    throw InternalError("tar: " + std::string(name.substr(0, kName.bytes)) +
                        ": name or content too long");
  Header header;
  header.put(kName, name);
  header.put(kMode, 0644);
  header.put(kUser, std::size_t{0});
  header.put(kGroup, std::size_t{0});
  header.put(kSize, content.size());
  header.put(kTime, std::size_t{0});
  header.put(kType, "0");
  header.put(kMagic, std::string_view("ustar\0"
                                      "00",
                                      8));
  header.put_checksum();
  archive_ += header.text();
  archive_.append(reinterpret_cast<const char*>(content.data()), content.size());
  archive_.append((kBlockBytes - content.size() % kBlockBytes) % kBlockBytes, '\0');
}

std::string TarWriter::finish() {
  archive_.append(2 * kBlockBytes, '\0');
  return std::exchange(archive_, {});
}

}  // namespace evd::hands
