#include "core/code_points.hpp"

#include <array>
#include <cstdlib>
#include <memory>

#include <utf8proc.h>

#include "core/error.hpp"

namespace evd {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

bool is_one_of(char32_t c, CodePointsView set) { return set.find(c) != CodePointsView::npos; }

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

/// What may follow the first byte of a sequence.
struct Lead {
  int more = 0;              // bytes; 0 = the byte leads nothing
  unsigned char low = 0x80;  // bounds of the first of them
  unsigned char high = 0xBF;
};
Lead lead_of(unsigned char byte) {
  if (byte >= 0xC2 && byte <= 0xDF) return {1};
  if (byte == 0xE0) return {2, 0xA0, 0xBF};
  if (byte == 0xED) return {2, 0x80, 0x9F};
  if (byte >= 0xE1 && byte <= 0xEF) return {2};
  if (byte == 0xF0) return {3, 0x90, 0xBF};
  if (byte >= 0xF1 && byte <= 0xF3) return {3};
  if (byte == 0xF4) return {3, 0x80, 0x8F};
  return {};
}

/// What has case, for the rule of the final sigma: letters, and numerals and circled letters too.
bool is_cased(char32_t c) {
  const auto kind = category(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL ||
         kind == UTF8PROC_CATEGORY_LT || c == 0xAA || c == 0xBA || (c >= 0x2160 && c <= 0x217F) ||
         (c >= 0x24B6 && c <= 0x24E9);
}
/// What that rule looks through.
bool is_case_ignorable(char32_t c) {
  switch (category(c)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return is_one_of(c,
                       U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55"
                       U"\uFF07\uFF0E\uFF1A");
  }
}
bool ends_a_word(CodePointsView text, std::size_t at) {
  std::size_t before = at;
  while (before > 0 && is_case_ignorable(text[before - 1])) --before;
  if (before == 0 || !is_cased(text[before - 1])) return false;
  std::size_t after = at + 1;
  while (after < text.size() && is_case_ignorable(text[after])) ++after;
  return after == text.size() || !is_cased(text[after]);
}

}  // namespace

CodePoints decoded(std::string_view utf8) {
  CodePoints text;
  text.reserve(utf8.size());
  for (std::size_t i = 0; i < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[i++]);
    if (first < 0x80) {
      text += first;
      continue;
    }
    Lead lead = lead_of(first);
    char32_t point = lead.more == 0 ? 0 : first & (0x3FU >> lead.more);
    bool is_whole = lead.more > 0;
    for (; lead.more > 0; --lead.more) {
      const auto next = i < utf8.size() ? static_cast<unsigned char>(utf8[i]) : 0;
      if (next < lead.low || next > lead.high) {
        is_whole = false;
        break;
      }
      point = point << 6 | (next & 0x3FU);
      lead.low = 0x80;
      lead.high = 0xBF;
      ++i;
    }
    text += is_whole ? point : kReplacement;
  }
  return text;
}

std::string encoded(CodePointsView text) {
  std::string utf8;
  utf8.reserve(text.size());
  for (const char32_t c : text) {
    std::array<utf8proc_uint8_t, 4> bytes{};
    const auto used = utf8proc_encode_char(static_cast<utf8proc_int32_t>(c), bytes.data());
    utf8.append(reinterpret_cast<const char*>(bytes.data()), static_cast<std::size_t>(used));
  }
  return utf8;
}

bool is_space(char32_t c) {
  if (c < 0x80) return c == ' ' || (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x1F);
  return c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) || c == 0x2028 ||
         c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_digit(char32_t c) {
  return c < 0x80 ? is_ascii_digit(c) : category(c) == UTF8PROC_CATEGORY_ND;
}

bool is_word(char32_t c) {
  if (c < 0x80) return is_ascii_letter(c) || is_ascii_digit(c) || c == '_';
  switch (category(c)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
    case UTF8PROC_CATEGORY_NL:
    case UTF8PROC_CATEGORY_NO:
      return true;
    default:
      return false;
  }
}

bool is_ascii_letter(char32_t c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool is_ascii_digit(char32_t c) { return c >= '0' && c <= '9'; }

CodePoints lowered(CodePointsView text) {
  constexpr char32_t kCapitalSigma = 0x3A3;
  constexpr char32_t kFinalSigma = 0x3C2;
  constexpr char32_t kDottedCapitalI = 0x130;  // the one letter whose lower case is two
  CodePoints result;
  result.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == kDottedCapitalI) {
      result += U"i\u0307";
    } else if (c == kCapitalSigma && ends_a_word(text, i)) {
      result += kFinalSigma;
    } else {
      result += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c)));
    }
  }
  return result;
}

CodePoints normalised(CodePointsView text, NormalForm form) {
  const int options =
      UTF8PROC_STABLE | UTF8PROC_COMPOSE | (form == NormalForm::nfkc ? UTF8PROC_COMPAT : 0);
  const std::string utf8 = encoded(text);
  utf8proc_uint8_t* made = nullptr;
  const auto size = utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(utf8.data()),
                                 static_cast<utf8proc_ssize_t>(utf8.size()), &made,
                                 static_cast<utf8proc_option_t>(options));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(made, &std::free);
  if (size < 0) throw InternalError(std::string("utf8proc: ") + utf8proc_errmsg(size));
  return decoded({reinterpret_cast<const char*>(made), static_cast<std::size_t>(size)});
}

}  // namespace evd
