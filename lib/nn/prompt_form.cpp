#include "nn/prompt_form.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include "core/text.hpp"
#include "nn/caption_cleaning.hpp"

namespace evd::nn {
namespace {

constexpr std::string_view kBlanks = " \t\n\r\f\v";

std::optional<int> side_of(std::string_view digits) {
  int side = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), side);
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() > 5 || side < 1)
    return std::nullopt;
  return side;
}

/// `text` cut before its last word, which is put into `word`; white space between them goes.
struct Cut {
  std::string_view before;
  std::string_view word;
};
Cut cut_last_word(std::string_view text) {
  text = trim(text);
  const auto blank = text.find_last_of(kBlanks);
  if (blank == std::string_view::npos) return {{}, text};
  return {trim(text.substr(0, blank)), text.substr(blank + 1)};
}

/// `... --ar 1:2` without its end; nothing when it has none.
std::optional<SizedPrompt> without_last_size(std::string_view prompt) {
  const auto [named, size] = cut_last_word(prompt);
  const auto [text, name] = cut_last_word(named);
  if (text.empty() || (name != "--ar" && name != "--hw" && name != "--aspect_ratio"))
    return std::nullopt;
  const auto colon = std::min(size.find(':'), size.size());
  const auto height = side_of(size.substr(0, colon));
  const auto width = side_of(size.substr(std::min(colon + 1, size.size())));
  if (!height || !width) return std::nullopt;
  return SizedPrompt{text, *height, *width};
}

}  // namespace

SizedPrompt sized_prompt(std::string_view prompt) {
  SizedPrompt sized{prompt};
  while (const auto shorter = without_last_size(sized.text)) sized = *shorter;
  return sized;
}

std::string read_text(std::string_view prompt, const PromptForm& form) {
  if (form.size_suffixes) prompt = sized_prompt(prompt).text;
  return form.clean ? cleaned_caption(prompt) : std::string(prompt);
}

}  // namespace evd::nn
