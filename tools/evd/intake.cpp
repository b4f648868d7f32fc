#include "intake.hpp"

#include "shard/identity.hpp"

namespace evd::hands {
std::optional<shard::Prompt> Intake::take(data::RawPrompt raw) {
  ++lines_;
  auto text = data::take_text(raw, static_cast<std::size_t>(options_.max_prompt_chars), remarks_);
  if (!text) return std::nullopt;
  shard::Prompt prompt;
  prompt.id = shard::sample_id(*text, options_.width, options_.height);
  if (!ids_.insert(prompt.id)) {
    remarks_["duplicate"].add(raw.line);
    return std::nullopt;
  }
  if (raw.unknown_category) remarks_["with unknown categories (rules decide)"].add(raw.line);
  prompt.text = std::move(*text);
  prompt.line = raw.line;
  const auto categories = raw.categories ? *raw.categories : shard::categorize(prompt.text);
  prompt.category_human = categories.human;
  prompt.category_text = categories.text;
  prompt.category_multi = categories.multi;
  prompt.category_source =
      raw.categories ? shard::CategorySource::given : shard::CategorySource::rules;
  human_ += categories.human ? 1 : 0;
  text_ += categories.text ? 1 : 0;
  multi_ += categories.multi ? 1 : 0;
  none_ += categories == shard::Categories{} ? 1 : 0;
  given_ += raw.categories ? 1 : 0;
  return prompt;
}

std::string Intake::summary(const std::string& what) const {
  std::string text = what + ": " + std::to_string(taken()) + " of " + std::to_string(lines_) +
                     (lines_ == 1 ? " line\n" : " lines\n") + data::text_of(remarks_);
  text += "  asking for a human " + std::to_string(human_) + ", for text " + std::to_string(text_) +
          ", for several objects " + std::to_string(multi_) + ", for none of these " +
          std::to_string(none_) + " (" +
          (given_ == taken() && given_ > 0 ? "as given"
           : given_ == 0                   ? "by rules"
                         : std::to_string(given_) + " as given, the rest by rules") +
          ")\n";
  return text;
}

}  // namespace evd::hands
