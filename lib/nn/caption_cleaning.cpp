#include "nn/caption_cleaning.hpp"

#include <algorithm>
#include <array>
#include <span>

#include "nn/caption_markup.hpp"
#include "nn/caption_repair.hpp"
#include "nn/caption_scan.hpp"

namespace evd::nn {
namespace {

// Rules: see Rule. Each gives where what it finds ends, or `at`.

constexpr std::array<TextView, 9> kFileExtensions = {U"png", U"jpg", U"jpeg", U"bmp", U"webp",
                                                     U"eps", U"pdf", U"apk",  U"mp4"};
constexpr std::array<TextView, 8> kDomains = {U"com", U"co",  U"ru",  U"net",
                                              U"org", U"edu", U"gov", U"it"};

bool is_ascii_alnum(char32_t c) { return is_ascii_letter(c) || is_ascii_digit(c); }
bool is_quote(char32_t c) { return c == '"' || c == '\''; }
bool is_dash_or_underscore(char32_t c) { return c == '-' || c == '_'; }

std::size_t spaces_end(TextView text, std::size_t at) { return run_end(text, at, is_space); }
std::size_t digits_end(TextView text, std::size_t at) { return run_end(text, at, is_digit); }
std::size_t letters_end(TextView text, std::size_t at) {
  return run_end(text, at, is_ascii_letter);
}
/// End of the first of `words` that stands at `at`; 0 when none does.
std::size_t past_one_of(TextView text, std::size_t at, std::span<const TextView> words) {
  for (const auto word : words)
    if (stands_at(text, at, word)) return at + word.size();
  return 0;
}
/// Past `what` when it stands at `at`; else `at`.
std::size_t past_optional(TextView text, std::size_t at, TextView what) {
  return stands_at(text, at, what) ? at + what.size() : at;
}

// ---- web addresses

/// `https://`, or `http:` and one more character.
std::size_t scheme(TextView text, std::size_t at, TextView name, TextView more) {
  if (!stands_at(text, at, name)) return at;
  std::size_t end = past_optional(text, at + name.size(), more);
  if (end >= text.size() || text[end] != ':') return at;
  ++end;
  std::size_t slashes = 0;
  while (slashes < 3 && end + slashes < text.size() && text[end + slashes] == '/') ++slashes;
  if (slashes > 0) return end + slashes;
  const bool goes_on = end < text.size() && (is_ascii_alnum(text[end]) || text[end] == '%');
  return goes_on ? end + 1 : at;
}

/// What may follow a domain: a path as long as it can be, up to the end of a word. An address
/// before an @ is one of electronic mail, and stays. 0 when there is no such end.
std::size_t path_end(TextView text, std::size_t begin) {
  const auto is_mail = [&](std::size_t end) { return end < text.size() && text[end] == '@'; };
  std::size_t end =
      run_end(text, begin, [](char32_t c) { return is_word(c) || c == '/' || c == '-'; });
  for (;; --end) {
    if (is_boundary(text, end)) {
      if (end < text.size() && text[end] == '/' && !is_mail(end + 1)) return end + 1;
      if (!is_mail(end)) return end;
    }
    if (end == begin) return 0;
  }
}

bool is_of_host(char32_t c) { return is_ascii_alnum(c) || c == '.' || c == '-'; }

/// True when host() was tried before in these characters: it finds the same from every beginning,
/// and would take quadratic time. (Right behind a colon scheme() may have been there instead.)
bool was_tried(TextView text, std::size_t at) {
  while (at-- > 0 && is_of_host(text[at]))
    if (is_boundary(text, at) && !(at > 0 && text[at - 1] == ':')) return true;
  return false;
}

/// `www.example.com/cats`: the last dot with a known domain behind it counts.
std::size_t host(TextView text, std::size_t at) {
  if (was_tried(text, at)) return at;
  const std::size_t end = run_end(text, at, is_of_host);
  for (std::size_t dot = end; dot-- > at + 1;) {
    if (text[dot] != '.') continue;
    for (const auto domain : kDomains) {
      if (!stands_at(text, dot + 1, domain)) continue;
      const std::size_t found = path_end(text, dot + 1 + domain.size());
      if (found != 0) return found;
    }
  }
  return at;
}

std::size_t address(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t end = scheme(text, at, U"http", U"s");
  return end > at ? end : host(text, at);
}
std::size_t address_after_www(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t end = scheme(text, at, U"www", U"");
  return end > at ? end : host(text, at);
}

// ---- names, numbers, signs

std::size_t person_tag(TextView text, std::size_t at) {
  return past_optional(text, at, U"<person>");
}

std::size_t handle(TextView text, std::size_t at) {
  if (text[at] != '@') return at;
  const std::size_t end = run_end(text, at + 1, is_word);
  return end > at + 1 ? end : at;
}

/// Strokes, enclosed and compatibility forms, ideographs and hexagrams; kana and hangul stay.
std::size_t ideograph(TextView text, std::size_t at) {
  return text[at] >= 0x31C0 && text[at] <= 0x9FFF ? at + 1 : at;
}

std::size_t dashes(TextView text, std::size_t at) {
  return run_end(text, at, [](char32_t c) {
    return (c >= 0x2010 && c <= 0x2015) ||
           is_one_of(c,
                     U"-\u058A\u05BE\u1400\u1806\u2E17\u2E1A\u2E3A\u2E3B\u2E40\u301C\u3030\u30A0"
                     U"\uFE31\uFE32\uFE58\uFE63\uFF0D");
  });
}
std::size_t double_quote(TextView text, std::size_t at) {
  return is_one_of(text[at], U"`\u00B4\u00AB\u00BB\u201C\u201D\u00A8") ? at + 1 : at;
}
std::size_t single_quote(TextView text, std::size_t at) {
  return is_one_of(text[at], U"\u2018\u2019") ? at + 1 : at;
}
std::size_t written_quote(TextView text, std::size_t at) {
  return stands_at(text, at, U"&quot") ? past_optional(text, at + 5, U";") : at;
}
std::size_t written_ampersand(TextView text, std::size_t at) {
  return past_optional(text, at, U"&amp");
}

std::size_t ip_address(TextView text, std::size_t at) {
  std::size_t end = at;
  for (int part = 0; part < 4; ++part) {
    if (part > 0 && (end >= text.size() || text[end++] != '.')) return at;
    const std::size_t begin = end;
    while (end < begin + 3 && end < text.size() && is_digit(text[end])) ++end;
    if (end == begin) return at;
  }
  return end;
}

/// `1:23 ` at the end of the text.
std::size_t article_number(TextView text, std::size_t at) {
  const bool is_number = text.size() - at > 4 && is_digit(text[at]) && text[at + 1] == ':' &&
                         is_digit(text[at + 2]) && is_digit(text[at + 3]) && is_space(text[at + 4]);
  return is_number && spaces_end(text, at + 4) == text.size() ? text.size() : at;
}
std::size_t written_line_end(TextView text, std::size_t at) {
  return past_optional(text, at, U"\\n");
}

bool is_count_between(std::size_t count, std::size_t low, std::size_t high) {
  return count >= low && count <= high;
}
std::size_t numbered_tag(TextView text, std::size_t at, std::size_t low, std::size_t high) {
  if (text[at] != '#') return at;
  const std::size_t end = digits_end(text, at + 1);
  return is_count_between(end - at - 1, low, high) && is_boundary(text, end) ? end : at;
}
std::size_t short_tag(TextView text, std::size_t at) { return numbered_tag(text, at, 1, 3); }
std::size_t long_tag(TextView text, std::size_t at) {
  return numbered_tag(text, at, 5, text.size());
}
std::size_t long_number(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t end = digits_end(text, at);
  return end - at >= 6 && is_boundary(text, end) ? end : at;
}

/// From the beginning of a word to its last file extension.
std::size_t file_name(TextView text, std::size_t at) {
  if (is_space(text[at]) || (at > 0 && !is_space(text[at - 1]))) return at;
  const std::size_t word_end = run_end(text, at, [](char32_t c) { return !is_space(c); });
  for (std::size_t dot = word_end; dot-- > at + 1;) {
    const std::size_t end = text[dot] == '.' ? past_one_of(text, dot + 1, kFileExtensions) : 0;
    if (end != 0) return end;
  }
  return at;
}

std::size_t two_or_more(TextView text, std::size_t at, bool (*is)(char32_t)) {
  const std::size_t end = run_end(text, at, is);
  return end - at >= 2 ? end : at;
}
std::size_t quotes(TextView text, std::size_t at) { return two_or_more(text, at, is_quote); }
std::size_t dots(TextView text, std::size_t at) {
  return two_or_more(text, at, [](char32_t c) { return c == '.'; });
}
std::size_t signs(TextView text, std::size_t at) {
  return run_end(text, at, [](char32_t c) {
    return is_one_of(c,
                     U"#\u00AE\u2022\u00A9\u2122&@\u00B7\u00BA\u00BD\u00BE\u00BF\u00A1\u00A7~)(]["
                     U"}{|\\/*");
  });
}
std::size_t lonely_dot(TextView text, std::size_t at) {
  const std::size_t dot = spaces_end(text, at);
  if (dot == at || dot == text.size() || text[dot] != '.') return at;
  const std::size_t end = spaces_end(text, dot + 1);
  return end > dot + 1 ? end : at;
}
std::size_t dash_or_underscore(TextView text, std::size_t at) {
  return is_dash_or_underscore(text[at]) ? at + 1 : at;
}

// ---- words

/// jc6640
std::size_t letters_digits(TextView text, std::size_t at) {
  const std::size_t letters = letters_end(text, at);
  const std::size_t end = digits_end(text, letters);
  return is_boundary(text, at) && is_count_between(letters - at, 1, 3) &&
                 is_count_between(end - letters, 3, 15) && is_boundary(text, end)
             ? end
             : at;
}
/// jc6640vc
std::size_t letters_digits_letters(TextView text, std::size_t at) {
  const std::size_t letters = letters_end(text, at);
  const std::size_t digits = digits_end(text, letters);
  const std::size_t end = letters_end(text, digits);
  return is_boundary(text, at) && letters > at && digits > letters && end > digits &&
                 is_boundary(text, end)
             ? end
             : at;
}
/// 6640vc231
std::size_t digits_letters_digits(TextView text, std::size_t at) {
  const std::size_t digits = digits_end(text, at);
  const std::size_t letters = letters_end(text, digits);
  const std::size_t end = digits_end(text, letters);
  return is_boundary(text, at) && digits > at && letters > digits && end > letters &&
                 is_boundary(text, end)
             ? end
             : at;
}
/// j2d1a2a: letters and digits by turns, twice at least.
std::size_t mixed_word(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  std::size_t end = digits_end(text, at);
  for (int turn = 0; turn < 2; ++turn) {
    const std::size_t letters = letters_end(text, end);
    const std::size_t digits = digits_end(text, letters);
    if (letters == end || digits == letters) return at;
    end = digits;
  }
  end = run_end(text, end, [](char32_t c) { return is_ascii_letter(c) || is_digit(c); });
  return is_boundary(text, end) ? end : at;
}

/// Past `word` and the white space after it; `at` unless both are there.
std::size_t past_word_and_spaces(TextView text, std::size_t at, TextView word) {
  if (!stands_at(text, at, word)) return at;
  const std::size_t end = spaces_end(text, at + word.size());
  return end > at + word.size() ? end : at;
}
std::size_t shipping(TextView text, std::size_t at) {
  constexpr TextView kWord = U"shipping";
  const std::size_t worldwide = past_word_and_spaces(text, at, U"worldwide");
  const std::size_t word = past_word_and_spaces(text, worldwide, U"free");
  return stands_at(text, word, kWord) ? word + kWord.size() : at;
}
std::size_t download(TextView text, std::size_t at) {
  constexpr TextView kWord = U"download";
  std::size_t word = at;
  if (stands_at(text, at, U"free") && at + 4 < text.size() && is_space(text[at + 4])) word = at + 5;
  if (!stands_at(text, word, kWord)) return at;
  const std::size_t end = word + kWord.size();
  const bool is_free =
      end < text.size() && is_space(text[end]) && stands_at(text, end + 1, U"free");
  return is_free ? end + 5 : end;
}
std::size_t click_for(TextView text, std::size_t at) {
  constexpr std::array<TextView, 2> kWords = {U"for", U"on"};
  if (!is_boundary(text, at) || !stands_at(text, at, U"click")) return at;
  std::size_t end = at + 5;
  if (end >= text.size() || !is_space(text[end])) return at;
  end = past_one_of(text, end + 1, kWords);
  if (end == 0 || end >= text.size() || !is_space(text[end])) return at;
  const std::size_t word_end = run_end(text, end + 1, is_word);
  return word_end > end + 1 ? word_end : at;
}
std::size_t file_extension(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t end = past_one_of(text, at, kFileExtensions);
  if (end == 0) return at;
  const bool is_image =
      end < text.size() && is_space(text[end]) && stands_at(text, end + 1, U"image");
  return is_image ? past_optional(text, end + 6, U"s") : end;
}
std::size_t page_number(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t number = past_word_and_spaces(text, at, U"page");
  const std::size_t end = digits_end(text, number);
  return number > at && end > number && is_boundary(text, end) ? end : at;
}

/// 10.5x20: a number, a sign of multiplication, a number.
std::size_t size_in_figures(TextView text, std::size_t at) {
  const std::size_t whole = digits_end(text, at);
  if (!is_boundary(text, at) || whole == at) return at;
  const std::size_t times = digits_end(text, past_optional(text, whole, U"."));
  if (times == text.size() || !is_one_of(text[times], U"x\u0445\u00D7")) return at;
  const std::size_t second = digits_end(text, times + 1);
  if (second == times + 1) return at;
  const std::size_t point = past_optional(text, second, U".");
  // As much of it as ends with a word, or before one.
  for (const std::size_t end : {digits_end(text, point), point, second})
    if (is_boundary(text, end)) return end;
  return at;
}

std::size_t colon_after_space(TextView text, std::size_t at) {
  if (!is_boundary(text, at)) return at;
  const std::size_t colon = spaces_end(text, at);
  if (colon == at || colon == text.size() || text[colon] != ':') return at;
  const std::size_t end = spaces_end(text, colon + 1);
  return end > colon + 1 ? end : at;
}

/// "one,two" is "one, two", unless a digit stands before the comma.
CodePoints spaced_after_punctuation(TextView text) {
  CodePoints result;
  for (std::size_t at = 0; at < text.size(); ++at) {
    result += text[at];
    if (is_digit(text[at]) || at + 1 >= text.size() || !is_one_of(text[at + 1], U",./")) continue;
    if (!is_boundary(text, at + 2)) continue;
    result += text[++at];
    result += U' ';
  }
  return result;
}

// ---- all of them, in order

CodePoints without_references(TextView text) {
  CodePoints result(text);
  struct Step {
    Rule rule;
    TextView by;
  };
  for (const auto& [rule, by] :
       std::to_array<Step>({{person_tag, U"person"}, {address, U""}, {address_after_www, U""}}))
    result = replaced(result, rule, by);
  result = html_text(result);
  for (const auto& [rule, by] : std::to_array<Step>({{handle, U""},
                                                     {ideograph, U""},
                                                     {dashes, U"-"},
                                                     {double_quote, U"\""},
                                                     {single_quote, U"'"},
                                                     {written_quote, U""},
                                                     {written_ampersand, U""},
                                                     {ip_address, U" "},
                                                     {article_number, U""},
                                                     {written_line_end, U" "},
                                                     {short_tag, U""},
                                                     {long_tag, U""},
                                                     {long_number, U""},
                                                     {file_name, U""},
                                                     {quotes, U"\""},
                                                     {dots, U" "},
                                                     {signs, U" "},
                                                     {lonely_dot, U" "}}))
    result = replaced(result, rule, by);
  if (std::count_if(result.begin(), result.end(), is_dash_or_underscore) > 3)
    result = replaced(result, dash_or_underscore, U" ");
  return result;
}

CodePoints without_noise_words(TextView text) {
  CodePoints result(text);
  for (const Rule rule : {letters_digits, letters_digits_letters, digits_letters_digits, shipping,
                          download, click_for, file_extension, page_number})
    result = replaced(result, rule);
  result = replaced(result, mixed_word, U" ");
  result = replaced(result, size_in_figures);
  result = replaced(result, colon_after_space, U": ");
  result = spaced_after_punctuation(result);
  return replaced(result, spaces_end, U" ");
}

TextView without_frame(TextView text) {
  if (text.size() >= 3 && is_quote(text.front()) && is_quote(text.back()))
    text = text.substr(1, text.size() - 2);
  if (!text.empty() && is_one_of(text.front(), U"'_,-:;")) text.remove_prefix(1);
  if (!text.empty() && is_one_of(text.back(), U"'_,-:+")) text.remove_suffix(1);
  const bool is_dotted_word = text.size() >= 2 && text.front() == '.' &&
                              std::none_of(text.begin() + 1, text.end(), is_space);
  return is_dotted_word ? TextView() : stripped(text);
}

CodePoints cleaned_once(TextView text) {
  const CodePoints plain = lowered(stripped(percent_decoded(text)));
  CodePoints repair = repaired(without_references(plain));
  repair = references_resolved(references_resolved(repair));
  return CodePoints(without_frame(without_noise_words(stripped(repair))));
}

}  // namespace

std::string cleaned_caption(std::string_view prompt) {
  return encoded(cleaned_once(cleaned_once(decoded(prompt))));
}

}  // namespace evd::nn
