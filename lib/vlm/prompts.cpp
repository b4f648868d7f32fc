#include "vlm/prompts.hpp"

#include "core/hash.hpp"
#include "core/text.hpp"

namespace evd::vlm {

Written check_written(std::string_view raw, std::size_t max_chars) {
  auto checked = check_prompt(raw, max_chars);
  if (checked.fault) {
    switch (*checked.fault) {
      case PromptFault::blank:
        return {"", Drop::blank};
      case PromptFault::not_utf8:
        return {"", Drop::not_utf8};
      case PromptFault::too_long:
        return {"", Drop::too_long};
      case PromptFault::control_character:
        return {"", Drop::control_character};
    }
  }
  if (code_points(checked.text) < kMinPromptChars) return {"", Drop::too_short};
  return {std::move(checked.text), Drop::none};
}

KnownPrompts::Fingerprint KnownPrompts::fingerprint(std::string_view canonical) {
  return truncated<Fingerprint>(sha256(folded_case(canonical)));
}

}  // namespace evd::vlm
