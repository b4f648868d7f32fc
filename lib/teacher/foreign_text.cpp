#include "teacher/foreign_text.hpp"

#include "core/text.hpp"

namespace evd::teacher {
namespace {

// Bytes of the character that `text` begins with; 0 = it is no UTF-8.
std::size_t character_bytes(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  const std::size_t bytes = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  return bytes <= text.size() && is_utf8(text.substr(0, bytes)) ? bytes : 0;
}

// U+0000..1f, U+7f and U+80..9f.
bool is_control(std::string_view character) {
  const auto first = static_cast<unsigned char>(character.front());
  if (character.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && static_cast<unsigned char>(character[1]) < 0xa0;
}

}  // namespace

std::string foreign_text(std::string_view text, std::size_t max_bytes) {
  std::string clean;
  while (!text.empty()) {
    const std::size_t bytes = character_bytes(text);
    std::string_view character = text.substr(0, bytes == 0 ? 1 : bytes);
    text.remove_prefix(character.size());
    if (bytes == 0) {
      character = "?";
    } else if (is_control(character)) {
      character = " ";
    }
    if (clean.size() + character.size() > max_bytes) break;
    clean += character;
  }
  return clean;
}

}  // namespace evd::teacher
