#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "data/members.hpp"
#include "nn/texts.hpp"
#include "run/program.hpp"
#include "train/validation.hpp"

namespace evd::train {

/// Prompts whose pictures validations draw: the first of those held out from the campaign's prompts
/// by id; the set's own where there are none. None when no validation draws pictures.
[[nodiscard]] std::vector<std::string> validation_prompts(const run::Context& context,
                                                          std::span<const data::Member> members);

/// What the configuration asks for; null = no validation. `prompts` as of validation_prompts(),
/// `texts` knows their states, null = hashed words. Collective.
[[nodiscard]] std::unique_ptr<Validation> make_validation(const run::Context& context,
                                                          std::span<const data::Member> members,
                                                          const std::vector<std::string>& prompts,
                                                          std::shared_ptr<const nn::Texts> texts);

/// Where contact sheets of a campaign lie; beside them `prompts.txt` says what was to be drawn.
[[nodiscard]] std::filesystem::path sheets_folder(const std::filesystem::path& campaign);

}  // namespace evd::train
