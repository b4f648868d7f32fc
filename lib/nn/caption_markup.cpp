#include "nn/caption_markup.hpp"

#include <algorithm>
#include <array>
#include <optional>

namespace evd::nn {
namespace {

constexpr char32_t kReplacement = 0xFFFD;
constexpr char32_t kLastPoint = 0x10FFFF;

int hex_value(char32_t c) {
  if (is_ascii_digit(c)) return static_cast<int>(c - '0');
  if (c >= 'a' && c <= 'f') return static_cast<int>(c - 'a' + 10);
  if (c >= 'A' && c <= 'F') return static_cast<int>(c - 'A' + 10);
  return -1;
}
bool is_hex(char32_t c) { return hex_value(c) >= 0; }

// ---- character references

struct Named {
  TextView name;
  char32_t point;
};
// HTML 4.01, chapter 24, without those that have capitals.
constexpr std::array kNamed = std::to_array<Named>({
    {U"quot", 0x22},      {U"amp", 0x26},      {U"lt", 0x3C},       {U"gt", 0x3E},
    {U"nbsp", 0xA0},      {U"iexcl", 0xA1},    {U"cent", 0xA2},     {U"pound", 0xA3},
    {U"curren", 0xA4},    {U"yen", 0xA5},      {U"brvbar", 0xA6},   {U"sect", 0xA7},
    {U"uml", 0xA8},       {U"copy", 0xA9},     {U"ordf", 0xAA},     {U"laquo", 0xAB},
    {U"not", 0xAC},       {U"shy", 0xAD},      {U"reg", 0xAE},      {U"macr", 0xAF},
    {U"deg", 0xB0},       {U"plusmn", 0xB1},   {U"sup2", 0xB2},     {U"sup3", 0xB3},
    {U"acute", 0xB4},     {U"micro", 0xB5},    {U"para", 0xB6},     {U"middot", 0xB7},
    {U"cedil", 0xB8},     {U"sup1", 0xB9},     {U"ordm", 0xBA},     {U"raquo", 0xBB},
    {U"frac14", 0xBC},    {U"frac12", 0xBD},   {U"frac34", 0xBE},   {U"iquest", 0xBF},
    {U"times", 0xD7},     {U"szlig", 0xDF},    {U"agrave", 0xE0},   {U"aacute", 0xE1},
    {U"acirc", 0xE2},     {U"atilde", 0xE3},   {U"auml", 0xE4},     {U"aring", 0xE5},
    {U"aelig", 0xE6},     {U"ccedil", 0xE7},   {U"egrave", 0xE8},   {U"eacute", 0xE9},
    {U"ecirc", 0xEA},     {U"euml", 0xEB},     {U"igrave", 0xEC},   {U"iacute", 0xED},
    {U"icirc", 0xEE},     {U"iuml", 0xEF},     {U"eth", 0xF0},      {U"ntilde", 0xF1},
    {U"ograve", 0xF2},    {U"oacute", 0xF3},   {U"ocirc", 0xF4},    {U"otilde", 0xF5},
    {U"ouml", 0xF6},      {U"divide", 0xF7},   {U"oslash", 0xF8},   {U"ugrave", 0xF9},
    {U"uacute", 0xFA},    {U"ucirc", 0xFB},    {U"uuml", 0xFC},     {U"yacute", 0xFD},
    {U"thorn", 0xFE},     {U"yuml", 0xFF},     {U"oelig", 0x153},   {U"scaron", 0x161},
    {U"fnof", 0x192},     {U"circ", 0x2C6},    {U"tilde", 0x2DC},   {U"alpha", 0x3B1},
    {U"beta", 0x3B2},     {U"gamma", 0x3B3},   {U"delta", 0x3B4},   {U"epsilon", 0x3B5},
    {U"zeta", 0x3B6},     {U"eta", 0x3B7},     {U"theta", 0x3B8},   {U"iota", 0x3B9},
    {U"kappa", 0x3BA},    {U"lambda", 0x3BB},  {U"mu", 0x3BC},      {U"nu", 0x3BD},
    {U"xi", 0x3BE},       {U"omicron", 0x3BF}, {U"pi", 0x3C0},      {U"rho", 0x3C1},
    {U"sigmaf", 0x3C2},   {U"sigma", 0x3C3},   {U"tau", 0x3C4},     {U"upsilon", 0x3C5},
    {U"phi", 0x3C6},      {U"chi", 0x3C7},     {U"psi", 0x3C8},     {U"omega", 0x3C9},
    {U"thetasym", 0x3D1}, {U"upsih", 0x3D2},   {U"piv", 0x3D6},     {U"ensp", 0x2002},
    {U"emsp", 0x2003},    {U"thinsp", 0x2009}, {U"zwnj", 0x200C},   {U"zwj", 0x200D},
    {U"lrm", 0x200E},     {U"rlm", 0x200F},    {U"ndash", 0x2013},  {U"mdash", 0x2014},
    {U"lsquo", 0x2018},   {U"rsquo", 0x2019},  {U"sbquo", 0x201A},  {U"ldquo", 0x201C},
    {U"rdquo", 0x201D},   {U"bdquo", 0x201E},  {U"dagger", 0x2020}, {U"bull", 0x2022},
    {U"hellip", 0x2026},  {U"permil", 0x2030}, {U"prime", 0x2032},  {U"lsaquo", 0x2039},
    {U"rsaquo", 0x203A},  {U"oline", 0x203E},  {U"frasl", 0x2044},  {U"euro", 0x20AC},
    {U"image", 0x2111},   {U"weierp", 0x2118}, {U"real", 0x211C},   {U"trade", 0x2122},
    {U"alefsym", 0x2135}, {U"larr", 0x2190},   {U"uarr", 0x2191},   {U"rarr", 0x2192},
    {U"darr", 0x2193},    {U"harr", 0x2194},   {U"crarr", 0x21B5},  {U"forall", 0x2200},
    {U"part", 0x2202},    {U"exist", 0x2203},  {U"empty", 0x2205},  {U"nabla", 0x2207},
    {U"isin", 0x2208},    {U"notin", 0x2209},  {U"ni", 0x220B},     {U"prod", 0x220F},
    {U"sum", 0x2211},     {U"minus", 0x2212},  {U"lowast", 0x2217}, {U"radic", 0x221A},
    {U"prop", 0x221D},    {U"infin", 0x221E},  {U"ang", 0x2220},    {U"and", 0x2227},
    {U"or", 0x2228},      {U"cap", 0x2229},    {U"cup", 0x222A},    {U"int", 0x222B},
    {U"there4", 0x2234},  {U"sim", 0x223C},    {U"cong", 0x2245},   {U"asymp", 0x2248},
    {U"ne", 0x2260},      {U"equiv", 0x2261},  {U"le", 0x2264},     {U"ge", 0x2265},
    {U"sub", 0x2282},     {U"sup", 0x2283},    {U"nsub", 0x2284},   {U"sube", 0x2286},
    {U"supe", 0x2287},    {U"oplus", 0x2295},  {U"otimes", 0x2297}, {U"perp", 0x22A5},
    {U"sdot", 0x22C5},    {U"lceil", 0x2308},  {U"rceil", 0x2309},  {U"lfloor", 0x230A},
    {U"rfloor", 0x230B},  {U"loz", 0x25CA},    {U"spades", 0x2660}, {U"clubs", 0x2663},
    {U"hearts", 0x2665},  {U"diams", 0x2666},  {U"lang", 0x27E8},   {U"rang", 0x27E9},
});

/// What a reference stands for, and where the text goes on.
struct Resolved {
  CodePoints text;
  std::size_t end = 0;
};

std::size_t past_semicolon(TextView text, std::size_t at) {
  return at < text.size() && text[at] == ';' ? at + 1 : at;
}

char32_t point_of(TextView digits, unsigned base) {
  char32_t value = 0;
  for (const char32_t digit : digits) {
    value = value * base + static_cast<char32_t>(hex_value(digit));
    if (value > kLastPoint) return kReplacement;
  }
  if (value >= 0xD800 && value <= 0xDFFF) return kReplacement;
  return of_windows_1252(value);
}

/// `&#39;` or `&#x27;`, something after it.
std::optional<Resolved> numbered(TextView text, std::size_t at) {
  const bool is_sixteen = at + 2 < text.size() && is_one_of(text[at + 2], U"xX");
  const std::size_t begin = at + (is_sixteen ? 3 : 2);
  const std::size_t end = run_end(text, begin, is_sixteen ? is_hex : is_ascii_digit);
  if (end == begin || end == text.size() || is_hex(text[end])) return std::nullopt;
  const char32_t point = point_of(text.substr(begin, end - begin), is_sixteen ? 16 : 10);
  return Resolved{CodePoints(1, point), past_semicolon(text, end)};
}

/// `&eacute;`, something after it.
std::optional<Resolved> named(TextView text, std::size_t at) {
  std::size_t end = run_end(text, at + 1, [](char32_t c) {
    return is_ascii_letter(c) || is_ascii_digit(c) || c == '-' || c == '.';
  });
  if (end == text.size()) {
    const auto last = text.find_last_of(U"-.");
    if (last == TextView::npos || last <= at + 1) return std::nullopt;
    end = last;
  }
  const TextView name = text.substr(at + 1, end - at - 1);
  const auto* known = std::find_if(kNamed.begin(), kNamed.end(),
                                   [&](const Named& entry) { return entry.name == name; });
  return Resolved{
      known == kNamed.end() ? CodePoints(text.substr(at, end - at)) : CodePoints(1, known->point),
      past_semicolon(text, end)};
}

/// The reference that begins at the `&` at `at`; nothing when it begins none.
std::optional<Resolved> reference(TextView text, std::size_t at) {
  if (at + 1 >= text.size()) return std::nullopt;
  // Of "at&t" at the end html.parser makes "att", and so did the authors' captions.
  const bool is_last = at + 2 == text.size();
  if (is_last && (is_ascii_letter(text[at + 1]) || text[at + 1] == '#'))
    return Resolved{CodePoints(1, text[at + 1]), text.size()};
  if (text[at + 1] == '#') return numbered(text, at);
  if (is_ascii_letter(text[at + 1])) return named(text, at);
  return std::nullopt;
}

// ---- tags

std::size_t past(TextView text, std::size_t from, TextView what) {
  const auto found = text.find(what, from);
  return found == TextView::npos ? 0 : found + what.size();
}

bool ends_tag_name(char32_t c) { return is_one_of(c, U" \t\n\r\f/>"); }

/// Past the `>` of a start tag whose name ends at `at`; 0 when it never ends. A `>` in a quoted
/// value does not end it.
std::size_t past_attributes(TextView text, std::size_t at) {
  while (at < text.size()) {
    if (text[at] == '>') return at + 1;
    if (text[at++] != '=') continue;
    at = run_end(text, at, [](char32_t c) { return c == '=' || is_space(c); });
    if (at < text.size() && is_one_of(text[at], U"\"'")) {
      at = past(text, at + 1, text.substr(at, 1));
      if (at == 0) return 0;
    }
  }
  return 0;
}

class HtmlText {
 public:
  explicit HtmlText(TextView text) : text_(text), last_end_(text.rfind(U'>')) {}

  CodePoints read() {
    while (at_ < text_.size()) {
      if (text_[at_] == '<' && skip_markup()) continue;
      const auto resolved = text_[at_] == '&' ? reference(text_, at_) : std::nullopt;
      if (resolved) {
        piece_ += resolved->text;
        at_ = resolved->end;
      } else {
        piece_ += text_[at_++];
      }
    }
    end_piece();
    return std::move(out_);
  }

 private:
  /// Past the markup that begins here; false when it is none.
  bool skip_markup() {
    const char32_t next = at_ + 1 < text_.size() ? text_[at_ + 1] : 0;
    std::size_t end = 0;
    if (is_ascii_letter(next)) return skip_start_tag();
    if (stands_at(text_, at_, U"<!--")) {
      end = past(text_, at_ + 4, U"-->");
    } else if (is_one_of(next, U"/!?")) {
      end = past(text_, at_ + 2, U">");
    }
    return skip_to(end);
  }

  bool skip_start_tag() {
    if (last_end_ == TextView::npos || last_end_ < at_) return false;
    const std::size_t name_end =
        run_end(text_, at_ + 1, [](char32_t c) { return !ends_tag_name(c); });
    const std::size_t end = past_attributes(text_, name_end);
    const TextView name = text_.substr(at_ + 1, name_end - at_ - 1);
    if (!skip_to(end)) return false;
    if ((name == U"script" || name == U"style") && text_[end - 2] != '/') skip_element(name);
    return true;
  }

  /// What a script or style holds is no text; one without an end tag goes to the end.
  void skip_element(TextView name) {
    const std::size_t content_end = past(text_, at_, CodePoints(U"</").append(name));
    const std::size_t end = content_end == 0 ? 0 : past(text_, content_end, U">");
    at_ = end == 0 ? text_.size() : end;
  }

  bool skip_to(std::size_t end) {
    if (end == 0) return false;
    end_piece();
    at_ = end;
    return true;
  }

  /// White space alone between two tags is one character.
  void end_piece() {
    constexpr TextView kBlanks = U" \n\t\f\r";
    if (!piece_.empty() && piece_.find_first_not_of(kBlanks) == CodePoints::npos)
      piece_ = piece_.find(U'\n') == CodePoints::npos ? U" " : U"\n";
    out_ += piece_;
    piece_.clear();
  }

  TextView text_;
  std::size_t last_end_;
  std::size_t at_ = 0;
  CodePoints piece_;  // since the last tag
  CodePoints out_;
};

}  // namespace

CodePoints percent_decoded(TextView text) {
  CodePoints result;
  std::string run;  // ASCII, and bytes that it spells: sequences do not go on in what follows
  const auto end_run = [&] {
    result += decoded(run);
    run.clear();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char32_t c = text[i];
    if (c == '%' && i + 2 < text.size() && is_hex(text[i + 1]) && is_hex(text[i + 2])) {
      run += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
      i += 2;
    } else if (c < 0x80) {
      run += c == '+' ? ' ' : static_cast<char>(c);
    } else {
      end_run();
      result += c;
    }
  }
  end_run();
  return result;
}

CodePoints html_text(TextView text) { return HtmlText(text).read(); }

CodePoints references_resolved(TextView text) {
  CodePoints result;
  for (std::size_t at = 0; at < text.size();) {
    const auto resolved = text[at] == '&' ? reference(text, at) : std::nullopt;
    if (resolved)
      result += resolved->text;
    else
      result += text[at];
    at = resolved ? resolved->end : at + 1;
  }
  return result;
}

char32_t of_windows_1252(char32_t c) {
  static constexpr std::array<char16_t, 32> kPoints = {
      0x20AC, 0x0081, 0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
      0x2039, 0x0152, 0x008D, 0x017D, 0x008F, 0x0090, 0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
      0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0x009D, 0x017E, 0x0178};
  return c >= 0x80 && c < 0xA0 ? kPoints[c - 0x80] : c;
}

}  // namespace evd::nn
