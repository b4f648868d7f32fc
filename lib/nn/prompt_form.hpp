#pragma once

#include <string>
#include <string_view>

#include "nn/options.hpp"

namespace evd::nn {

/// The end of a prompt that says how large its picture is, as in the authors' demo (PixArt's
/// prepare_prompt_ar): `--ar H:W` an aspect, height first; `--hw H:W` sides in pixels;
/// `--aspect_ratio H:W` is `--ar`. Of several the first counts.
struct SizedPrompt {
  std::string_view text;  ///< without them, and without white space before them
  int height = 0;         ///< 0 = the prompt says nothing; only the ratio to width has a meaning
  int width = 0;
};
/// What is malformed (no number from 1 to 99999, other words behind it, nothing before it) is text.
[[nodiscard]] SizedPrompt sized_prompt(std::string_view prompt);

/// The text that T5 reads of a prompt: without sizes, cleaned, each only where `form` asks for it.
/// States of equal texts are equal, so this is what their keys are made of.
[[nodiscard]] std::string read_text(std::string_view prompt, const PromptForm& form);

}  // namespace evd::nn
