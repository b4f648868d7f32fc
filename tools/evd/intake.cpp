#include "intake.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "shard/identity.hpp"

namespace evd::hands {
namespace {

std::string reason(PromptFault fault) {
  switch (fault) {
    case PromptFault::blank:
      return "blank";
    case PromptFault::not_utf8:
      return "not UTF-8";
    case PromptFault::too_long:
      return "over-long";
    case PromptFault::control_character:
      return "with control characters";
  }
  throw InternalError("no such prompt fault");
}

}  // namespace

void Remark::add(std::int64_t line) {
  ++count;
  if (first_lines.size() < kShownLines) first_lines.push_back(line);
}

std::string Remark::where() const {
  std::string text = count == 1 ? "(line" : "(lines";
  for (const auto line : first_lines)
    text += (line == first_lines.front() ? " " : ", ") + std::to_string(line);
  return text + (count > static_cast<std::int64_t>(first_lines.size()) ? ", ...)" : ")");
}

std::optional<shard::Prompt> Intake::take(RawPrompt raw) {
  ++lines_;
  const auto refuse = [&](const std::string& why) {
    remarks_[why].add(raw.line);
    return std::nullopt;
  };
  if (!raw.fault.empty()) return refuse(raw.fault);
  auto checked = check_prompt(raw.text, static_cast<std::size_t>(options_.max_prompt_chars));
  if (checked.fault) return refuse(reason(*checked.fault));
  shard::Prompt prompt;
  prompt.id = shard::sample_id(checked.text, options_.width, options_.height);
  if (!ids_.insert(prompt.id)) return refuse("duplicate");
  if (raw.unknown_category) remarks_["with unknown categories (rules decide)"].add(raw.line);
  prompt.text = std::move(checked.text);
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
                     (lines_ == 1 ? " line\n" : " lines\n");
  for (const auto& [why, remark] : remarks_)
    text += "  " + std::to_string(remark.count) + " " + why + " " + remark.where() + "\n";
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
