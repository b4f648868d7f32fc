#include "nn/caption_repair.hpp"

#include <algorithm>
#include <array>

#include "nn/caption_markup.hpp"

namespace evd::nn {
namespace {

struct Ligature {
  char32_t from;
  TextView to;
};
constexpr std::array kLigatures = std::to_array<Ligature>({
    {0x132, U"IJ"},       {0x133, U"ij"},      {0x149, U"\u02BCn"}, {0x1C4, U"D\u017D"},
    {0x1C5, U"D\u017E"},  {0x1C6, U"d\u017E"}, {0x1C7, U"LJ"},      {0x1C8, U"Lj"},
    {0x1C9, U"lj"},       {0x1CA, U"NJ"},      {0x1CB, U"Nj"},      {0x1CC, U"nj"},
    {0x1F1, U"DZ"},       {0x1F2, U"Dz"},      {0x1F3, U"dz"},      {0xFB00, U"ff"},
    {0xFB01, U"fi"},      {0xFB02, U"fl"},     {0xFB03, U"ffi"},    {0xFB04, U"ffl"},
    {0xFB05, U"\u017Ft"}, {0xFB06, U"st"},
});

bool is_removed_control(char32_t c) {
  return c <= 0x08 || c == 0x0B || (c >= 0x0E && c <= 0x1F) || c == 0x7F ||
         (c >= 0x206A && c <= 0x206F) || c == 0xFEFF || (c >= 0xFFF9 && c <= 0xFFFC);
}
bool is_of_other_width(char32_t c) { return c == 0x3000 || (c >= 0xFF01 && c <= 0xFFEF); }

/// A character that is no line end, by all rules in turn.
CodePoints plain(char32_t c) {
  c = of_windows_1252(c);
  const auto* ligature = std::find_if(kLigatures.begin(), kLigatures.end(),
                                      [&](const Ligature& entry) { return entry.from == c; });
  if (ligature != kLigatures.end()) return CodePoints(ligature->to);
  if (is_of_other_width(c)) return normalised(TextView(&c, 1), NormalForm::nfkc);
  if (c == 0x2BC || (c >= 0x2018 && c <= 0x201B)) return U"'";
  if (c >= 0x201C && c <= 0x201F) return U"\"";
  if (is_removed_control(c)) return {};
  return CodePoints(1, c);
}

CodePoints repaired_once(TextView text) {
  CodePoints result;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '\r') {
      if (i + 1 == text.size() || text[i + 1] != '\n') result += U'\n';
    } else if (c == 0x2028 || c == 0x2029) {
      result += U'\n';
    } else if (c < 0x7F && c >= ' ') {
      result += c;
    } else {
      result += plain(c);
    }
  }
  return normalised(result, NormalForm::nfc);
}

}  // namespace

CodePoints repaired(TextView text) {
  CodePoints before(text);
  while (true) {
    CodePoints after = repaired_once(before);
    if (after == before) return after;
    before = std::move(after);
  }
}

}  // namespace evd::nn
