#pragma once

#include <string>
#include <string_view>

#include "nn/options.hpp"

namespace evd::nn {

/// The text that T5 reads of a prompt: as written, or cleaned where `form` asks for it.
/// States of equal texts are equal, so this is what their keys are made of.
[[nodiscard]] std::string read_text(std::string_view prompt, const PromptForm& form);

}  // namespace evd::nn
