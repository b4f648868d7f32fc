#include "nn/prompt_form.hpp"

#include "nn/caption_cleaning.hpp"

namespace evd::nn {

std::string read_text(std::string_view prompt, const PromptForm& form) {
  return form.clean ? cleaned_caption(prompt) : std::string(prompt);
}

}  // namespace evd::nn
