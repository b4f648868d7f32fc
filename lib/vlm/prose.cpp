#include "vlm/prose.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <span>

#include "core/text.hpp"

namespace evd::vlm {
namespace {

using shard::Choice;
using Words = std::span<const std::string_view>;

constexpr std::size_t kMaxProse = 4000;  // a verdict stands in a short text

constexpr std::array<std::string_view, 7> kNouns = {"image",  "picture",   "option",  "photo",
                                                    "choice", "candidate", "painting"};
constexpr std::array<std::string_view, 10> kBetter = {
    "better",    "best",     "closer", "winner",     "wins",
    "preferred", "superior", "win",    "preferable", "stronger"};
constexpr std::array<std::string_view, 6> kWorse = {"worse",  "worst",  "inferior",
                                                    "weaker", "poorer", "loses"};
constexpr std::array<std::string_view, 8> kMoreOf = {"accurate",   "accurately", "faithful",
                                                     "faithfully", "closely",    "correct",
                                                     "precise",    "precisely"};
constexpr std::array<std::string_view, 12> kPicks = {"winner", "prefer",  "choose",    "pick",
                                                     "answer", "verdict", "select",    "better",
                                                     "best",   "chosen",  "preferred", "choice"};
constexpr std::array<std::string_view, 17> kFillers = {
    "is",     "the", "would", "be",      "my",    "i",         "it",    "clearly",  "definitely",
    "option", "one", "image", "picture", "final", "therefore", "photo", "candidate"};
constexpr std::array<std::string_view, 8> kTies = {
    "tie", "tied", "neither", "equal", "equally", "draw", "indistinguishable", "tossup"};
constexpr std::array<std::string_view, 8> kNegations = {"not",  "never",  "isn't",    "doesn't",
                                                        "isnt", "hardly", "wouldn't", "don't"};

constexpr std::array<std::string_view, 24> kBehindA = {
    "is",      "looks",   "seems", "appears",  "fits",       "matches",  "wins",    "follows",
    "shows",   "depicts", "has",   "captures", "represents", "reflects", "loses",   "does",
    "because", "since",   "as",    "over",     "and",        "with",     "clearly", "better"};

bool among(std::string_view word, Words words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

struct Word {
  std::string lower;
  std::size_t at = 0;
  bool upper = false;      // begins with a capital
  bool bracketed = false;  // (A), [B], "A", **B**
  bool ends_sentence = false;
  Choice option = Choice::unparsed;  // first or second when it names a picture
};

bool is_word_char(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return std::isalnum(byte) != 0 || c == '\'' || byte >= 0x80;
}

std::vector<Word> words_of(std::string_view text) {
  std::vector<Word> words;
  for (std::size_t i = 0; i < text.size();) {
    if (!is_word_char(text[i])) {
      if (!words.empty() && std::string_view(".;!?\n").find(text[i]) != std::string_view::npos)
        words.back().ends_sentence = true;
      ++i;
      continue;
    }
    const std::size_t begin = i;
    while (i < text.size() && is_word_char(text[i])) ++i;
    constexpr std::string_view kOpen = "([\"*`<";
    const bool open = begin > 0 && kOpen.find(text[begin - 1]) != std::string_view::npos;
    constexpr std::string_view kClose = ")]\"*`>";
    const bool close = i < text.size() && kClose.find(text[i]) != std::string_view::npos;
    words.push_back({.lower = lower_ascii(text.substr(begin, i - begin)),
                     .at = begin,
                     .upper = text[begin] >= 'A' && text[begin] <= 'Z',
                     .bracketed = open && close});
  }
  return words;
}

// "a" is also an article: bare, it names a picture only as a capital that no noun follows.
bool names_first(const std::vector<Word>& words, std::size_t i, bool behind_noun) {
  if (words[i].bracketed || behind_noun) return true;
  const bool last = i + 1 == words.size() || words[i].ends_sentence;
  return words[i].upper && (last || among(words[i + 1].lower, kBehindA));
}

void mark_options(std::vector<Word>& words) {
  for (std::size_t i = 0; i < words.size(); ++i) {
    auto& word = words[i];
    const bool behind_noun =
        i > 0 && !words[i - 1].ends_sentence && among(words[i - 1].lower, kNouns);
    const bool before_noun = i + 1 < words.size() && !word.ends_sentence &&
                             (among(words[i + 1].lower, kNouns) || words[i + 1].lower == "one");
    if (word.lower == "first" || word.lower == "second") {
      if (!before_noun && !behind_noun) continue;
      word.option = word.lower == "first" ? Choice::first : Choice::second;
    } else if (!before_noun && word.lower == "a" && names_first(words, i, behind_noun)) {
      word.option = Choice::first;
    } else if (!before_noun && word.lower == "b") {
      word.option = Choice::second;
    }
  }
}

Choice other(Choice option) { return option == Choice::first ? Choice::second : Choice::first; }

// What the text claims; `conflict` once two claims differ or one is denied.
struct Claims {
  ProseVerdict verdict;
  bool conflict = false;
  void add(Choice choice, std::size_t at) {
    if (verdict.choice == Choice::unparsed) verdict = {choice, at};
    if (verdict.choice != choice) conflict = true;
  }
};

// "A is clearly better", "image B fits more closely", "the first picture loses".
void claim_by_comparison(const std::vector<Word>& words, std::size_t option, Claims& claims) {
  bool denied = false;
  for (std::size_t i = option; i + 1 < words.size() && !words[i].ends_sentence; ++i) {
    const auto& word = words[i + 1];
    if (word.option != Choice::unparsed) return;
    if (among(word.lower, kNegations)) denied = true;
    const bool more =
        word.lower == "more" && i + 2 < words.size() && among(words[i + 2].lower, kMoreOf);
    const bool less =
        word.lower == "less" && i + 2 < words.size() && among(words[i + 2].lower, kMoreOf);
    const bool up = more || among(word.lower, kBetter);
    const bool down = less || among(word.lower, kWorse);
    if (!up && !down) continue;
    if (denied) claims.conflict = true;
    claims.add(up ? words[option].option : other(words[option].option), words[option].at);
    return;
  }
}

// "the winner is A", "I choose (B)", "Answer: the first one".
void claim_by_choice(const std::vector<Word>& words, std::size_t pick, Claims& claims) {
  for (std::size_t i = pick; i + 1 < words.size() && !words[i].ends_sentence; ++i) {
    const auto& word = words[i + 1];
    if (among(word.lower, kNegations)) claims.conflict = true;
    if (word.option != Choice::unparsed) return claims.add(word.option, word.at);
    if (!among(word.lower, kFillers)) return;
  }
}

// The last line is nothing but "A", "(B)", "Image A.", "tie", "both".
ProseVerdict bare_last_line(const std::vector<Word>& words, std::string_view text) {
  const auto end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) return {};
  const auto newline = text.find_last_of('\n', end);
  const std::size_t begin = newline == std::string_view::npos ? 0 : newline + 1;
  std::vector<const Word*> line;
  for (const auto& word : words)
    if (word.at >= begin && !among(word.lower, kNouns) && word.lower != "the")
      line.push_back(&word);
  if (line.size() != 1) return {};
  const auto& word = *line.front();
  if (word.option != Choice::unparsed) return {word.option, word.at};
  if (word.lower == "a") return {Choice::first, word.at};
  if (word.lower == "both" || word.lower == "none") return {Choice::tie, word.at};
  return {};
}

std::string_view without_quotes(std::string_view text) {
  text = trim(text);
  while (text.size() >= 4 && text.starts_with("**") && text.ends_with("**"))
    text = trim(text.substr(2, text.size() - 4));
  while (text.size() >= 2 && text.front() == text.back() &&
         (text.front() == '"' || text.front() == '\'' || text.front() == '`'))
    text = trim(text.substr(1, text.size() - 2));
  constexpr std::string_view kLeft = "\xe2\x80\x9c";
  constexpr std::string_view kRight = "\xe2\x80\x9d";
  if (text.size() > 6 && text.starts_with(kLeft) && text.ends_with(kRight))
    text = trim(text.substr(3, text.size() - 6));
  return text;
}

// Length of a list marker ("1.", "2)", "(3)", "-", "*", bullet) with its blank; 0 = none.
std::size_t marker_length(std::string_view line) {
  for (const std::string_view bullet : {"- ", "* ", "+ ", "\xe2\x80\xa2 ", "\xe2\x80\x93 "})
    if (line.starts_with(bullet)) return bullet.size();
  std::size_t i = line.starts_with("(") ? 1 : 0;
  const std::size_t digits = i;
  while (i < line.size() && std::isdigit(static_cast<unsigned char>(line[i])) != 0) ++i;
  if (i == digits || i - digits > 3) return 0;
  if (i >= line.size() || (line[i] != '.' && line[i] != ')' && line[i] != ':')) return 0;
  ++i;
  return i < line.size() && line[i] == ' ' ? i + 1 : 0;
}

}  // namespace

ProseVerdict prose_verdict(std::string_view text) {
  if (text.size() > kMaxProse) return {};
  auto words = words_of(text);
  mark_options(words);
  Claims claims;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (words[i].option != Choice::unparsed) claim_by_comparison(words, i, claims);
    if (among(words[i].lower, kPicks)) claim_by_choice(words, i, claims);
    if (among(words[i].lower, kTies)) {
      if (i > 0 && among(words[i - 1].lower, kNegations)) claims.conflict = true;
      claims.add(Choice::tie, words[i].at);
    }
  }
  const auto bare = bare_last_line(words, text);
  if (bare.choice != Choice::unparsed) claims.add(bare.choice, bare.at);
  return claims.conflict ? ProseVerdict{} : claims.verdict;
}

std::vector<std::string> prose_list(std::string_view text) {
  std::vector<std::string> items;
  for (const auto& raw : split(text, '\n')) {
    const auto line = trim(raw);
    const auto marker = marker_length(line);
    if (marker == 0) continue;
    const auto item = without_quotes(line.substr(marker));
    if (!item.empty()) items.emplace_back(item);
  }
  return items;
}

std::optional<std::string> prose_paragraph(std::string_view text) {
  std::vector<std::string_view> paragraphs;
  const auto lines = split(text, '\n');
  for (const auto& raw : lines) {
    auto line = trim(raw);
    if (line.empty() || line.starts_with("```")) continue;
    if (line.ends_with(':') && paragraphs.empty()) continue;
    paragraphs.push_back(line);
  }
  if (paragraphs.size() != 1) return std::nullopt;
  auto line = paragraphs.front();
  if (const auto marker = marker_length(line); marker > 0) line = line.substr(marker);
  for (const std::string_view label : {"description:", "**description:**", "new description:"})
    if (lower_ascii(line.substr(0, label.size())) == label) line = trim(line.substr(label.size()));
  line = without_quotes(line);
  if (line.empty() || line.find_first_of("{}[]<>") != std::string_view::npos) return std::nullopt;
  return std::string(line);
}

bool is_refusal(std::string_view text) {
  std::string lower = lower_ascii(text.substr(0, 400));
  for (std::size_t at = 0; (at = lower.find("\xe2\x80\x99", at)) != std::string::npos;)
    lower.replace(at, 3, "'");
  static constexpr std::array<std::string_view, 9> kPhrases = {
      "i'm sorry",   "i am sorry", "i can't ",          "i cannot ",     "i'm unable",
      "i am unable", "i won't ",   "against my policy", "content policy"};
  return std::any_of(kPhrases.begin(), kPhrases.end(), [&](std::string_view phrase) {
    return lower.find(phrase) != std::string::npos;
  });
}

}  // namespace evd::vlm
