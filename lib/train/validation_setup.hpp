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

/// Prompts whose pictures validations draw, the same in all rounds: the first by id of those held
/// out from the campaign's prompts; of its start set where none are. None when no validation draws
/// pictures.
struct ValidationPrompts {
  std::vector<std::string> texts;
  std::vector<std::uint64_t> noise_ids;
};
[[nodiscard]] ValidationPrompts validation_prompts(const run::Context& context);

/// What the configuration asks for; null = nothing is to be looked at. `texts` knows the states of
/// this rank's prompts, those at rank, rank + ranks, ..., and of the empty text; null = hashed
/// words. Pictures are drawn on `engine`. DataError when the VAE is not the campaign's. Collective.
[[nodiscard]] std::unique_ptr<Validation> make_validation(const run::Context& context,
                                                          std::span<const data::Member> members,
                                                          const ValidationPrompts& prompts,
                                                          std::shared_ptr<const nn::Texts> texts,
                                                          int threads, const nn::Engine& engine);

/// Contact sheet after so many steps of the campaign; beside it `prompts.txt` says what was drawn.
[[nodiscard]] std::filesystem::path sheet_file(const std::filesystem::path& campaign,
                                               std::int64_t steps);
/// Removes those of later steps, which are done again. What cannot be removed stays.
void remove_sheets_after(const std::filesystem::path& campaign, std::int64_t steps);

}  // namespace evd::train
