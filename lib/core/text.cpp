#include "core/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <numeric>
#include <utility>

#include <utf8proc.h>

#include "core/error.hpp"

namespace evd {
namespace {

// Calls `visit(code point)` for each code point; false at the first malformed byte.
template <class Visit>
bool each_code_point(std::string_view text, Visit visit) {
  const auto* data = reinterpret_cast<const utf8proc_uint8_t*>(text.data());
  auto left = static_cast<utf8proc_ssize_t>(text.size());
  while (left > 0) {
    utf8proc_int32_t code = *data;
    const utf8proc_ssize_t used = code < 0x80 ? 1 : utf8proc_iterate(data, left, &code);
    if (used <= 0) return false;
    visit(code);
    data += used;
    left -= used;
  }
  return true;
}

bool is_space(std::int32_t code) {
  if (code < 0x80) return code == ' ' || (code >= 0x09 && code <= 0x0d);
  const auto category = utf8proc_category(code);
  return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
         category == UTF8PROC_CATEGORY_ZP || code == 0x85;
}

// The category Cc: C0, delete, C1.
bool is_c0_or_c1(std::int32_t code) { return code < 0x20 || (code >= 0x7f && code <= 0x9f); }

// Overrides and isolates reorder what a person sees; marks (200e, 200f) only hint.
bool is_bidi_control(std::int32_t code) {
  return (code >= 0x202a && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

}  // namespace

bool is_utf8(std::string_view text) {
  return each_code_point(text, [](std::int32_t) {});
}

std::size_t code_points(std::string_view text) {
  std::size_t count = 0;
  each_code_point(text, [&](std::int32_t) { ++count; });
  return count;
}

std::string canonical_prompt(std::string_view text) {
  std::string folded;
  folded.reserve(text.size());
  bool pending_space = false;
  each_code_point(text, [&](std::int32_t code) {
    if (is_space(code)) {
      pending_space = !folded.empty();
      return;
    }
    if (pending_space) folded += ' ';
    pending_space = false;
    if (code < 0x80) {
      folded += static_cast<char>(code);
      return;
    }
    std::array<utf8proc_uint8_t, 4> raw{};
    const auto used = utf8proc_encode_char(code, raw.data());
    folded.append(reinterpret_cast<const char*>(raw.data()), static_cast<std::size_t>(used));
  });
  if (std::all_of(folded.begin(), folded.end(), [](unsigned char c) { return c < 0x80; }))
    return folded;
  utf8proc_uint8_t* composed = nullptr;
  const auto size =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t*>(folded.data()),
                   static_cast<utf8proc_ssize_t>(folded.size()), &composed,
                   static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  if (size < 0) throw InternalError("Unicode normalisation failed on a checked text");
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(composed, &std::free);
  return {reinterpret_cast<const char*>(composed), static_cast<std::size_t>(size)};
}

CheckedPrompt check_prompt(std::string_view raw, std::size_t max_chars) {
  bool control = false;
  const bool well_formed = each_code_point(raw, [&](std::int32_t code) {
    control = control || (is_c0_or_c1(code) && !is_space(code)) || is_bidi_control(code);
  });
  if (!well_formed) return {"", PromptFault::not_utf8};
  if (control) return {"", PromptFault::control_character};
  std::string text = canonical_prompt(raw);
  if (text.empty()) return {"", PromptFault::blank};
  if (code_points(text) > max_chars) return {"", PromptFault::too_long};
  return {std::move(text), std::nullopt};
}

std::string folded_case(std::string_view text) {
  if (std::all_of(text.begin(), text.end(), [](unsigned char c) { return c < 0x80; }))
    return lower_ascii(text);
  utf8proc_uint8_t* folded = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(text.size()), &folded,
      static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD));
  if (size < 0) throw InternalError("Unicode case folding failed on a checked text");
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(folded, &std::free);
  return {reinterpret_cast<const char*>(folded), static_cast<std::size_t>(size)};
}

std::optional<std::string> nearest(std::string_view word, std::span<const std::string> candidates) {
  std::optional<std::string> best;
  std::size_t best_distance = std::max<std::size_t>(2, word.size() / 3) + 1;
  for (const auto& candidate : candidates) {
    std::vector<std::size_t> row(candidate.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= word.size(); ++i) {
      std::size_t diagonal = std::exchange(row[0], i);
      for (std::size_t j = 1; j <= candidate.size(); ++j) {
        const std::size_t substitution = diagonal + (word[i - 1] == candidate[j - 1] ? 0 : 1);
        diagonal = row[j];
        row[j] = std::min({row[j] + 1, row[j - 1] + 1, substitution});
      }
    }
    if (row.back() < best_distance) {
      best_distance = row.back();
      best = candidate;
    }
  }
  return best;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  std::size_t begin = 0;
  while (true) {
    const std::size_t end = text.find(separator, begin);
    parts.emplace_back(text.substr(begin, end - begin));
    if (end == std::string_view::npos) return parts;
    begin = end + 1;
  }
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n\v\f";
  const auto begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

std::string lower_ascii(std::string_view text) {
  std::string lower(text);
  for (auto& c : lower)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return lower;
}

std::string join(std::span<const std::string> parts, std::string_view separator) {
  std::string text;
  for (const auto& part : parts) {
    if (&part != parts.data()) text += separator;
    text += part;
  }
  return text;
}

std::string human_bytes(double bytes) {
  static constexpr std::array kUnits = {"B", "kB", "MB", "GB", "TB", "PB"};
  std::size_t unit = 0;
  while (bytes >= 999.5 && unit + 1 < kUnits.size()) {
    bytes /= 1000;
    ++unit;
  }
  return format(bytes < 10 && unit > 0 ? "%.1f %s" : "%.0f %s", bytes, kUnits[unit]);
}

std::string human_usd(std::int64_t microusd) {
  return format(std::abs(microusd) < 10'000'000 ? "$%.4f" : "$%.2f",
                static_cast<double>(microusd) / 1e6);
}

std::string format(const char* pattern, ...) {
  va_list args;
  va_start(args, pattern);
  va_list again;
  va_copy(again, args);
  const int size = std::vsnprintf(nullptr, 0, pattern, args);
  va_end(args);
  std::string text(static_cast<std::size_t>(std::max(size, 0)), '\0');
  std::vsnprintf(text.data(), text.size() + 1, pattern, again);
  va_end(again);
  return text;
}

std::string shell_word(std::string_view word) {
  static constexpr std::string_view kPlain =
      "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=:,./@%";
  if (!word.empty() && word.find_first_not_of(kPlain) == std::string::npos)
    return std::string(word);
  std::string quoted = "'";
  for (const char c : word) quoted += c == '\'' ? "'\\''" : std::string(1, c);
  return quoted + "'";
}

std::string printable(std::string_view name) {
  constexpr std::size_t kMost = 80;
  std::string text(name.substr(0, kMost));
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

}  // namespace evd
