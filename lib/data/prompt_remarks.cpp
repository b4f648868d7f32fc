#include "data/prompt_remarks.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::data {
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

std::string text_of(const Remarks& remarks) {
  std::string text;
  for (const auto& [why, remark] : remarks)
    text += "  " + std::to_string(remark.count) + " " + why + " " + remark.where() + "\n";
  return text;
}

std::optional<std::string> take_text(const RawPrompt& raw, std::size_t max_chars,
                                     Remarks& remarks) {
  if (!raw.fault.empty()) {
    remarks[raw.fault].add(raw.line);
    return std::nullopt;
  }
  auto checked = check_prompt(raw.text, max_chars);
  if (checked.fault) {
    remarks[reason(*checked.fault)].add(raw.line);
    return std::nullopt;
  }
  return std::move(checked.text);
}

}  // namespace evd::data
