#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "core/log.hpp"
#include "data/prompt_remarks.hpp"
#include "data/prompt_source.hpp"
#include "mpi/communicator.hpp"
#include "nn/options.hpp"
#include "run/campaign.hpp"

namespace evd::evaluate {

/// Any prompts with any round's weights, for people.
struct PromptJob {
  std::filesystem::path prompts;  ///< .txt, .csv or .jsonl
  data::PromptColumns columns;
  int checkpoint = 0;  ///< round, or run::kStartRound
  std::vector<std::uint64_t> seeds;
  std::filesystem::path out;  ///< folder, made when missing
};

/// "0..3", "7", "1,4,9": in order, without repeats. UsageError for anything else.
[[nodiscard]] std::vector<std::uint64_t> parse_seeds(std::string_view text);
/// A round number, or "start". UsageError for anything else.
[[nodiscard]] int parse_checkpoint(std::string_view text);

/// A line of the prompts file that can be drawn.
struct PromptLine {
  std::int64_t line = 0;  ///< from 1
  std::string text;       ///< canonical
};
/// Lines of a prompts file; those that cannot be taken are remarked and cost nobody else anything.
/// As `evd init` reads it, except that a prompt that comes twice is drawn twice. DataError when
/// none is left; UsageError and ConfigurationError as data::open_prompts.
struct PromptLines {
  std::vector<PromptLine> taken;
  data::Remarks remarks;
};
[[nodiscard]] PromptLines read_prompts(const std::filesystem::path& file,
                                       const data::PromptColumns& columns, std::size_t max_chars);

/// Renders every prompt with every seed; ranks share the pictures. Writes, under `job.out`,
/// 00001-seed-0.png (line and seed, never the prompt), index.csv, contact-001.png (a row for each
/// prompt, a column for each seed, all cut to squares) and images-00000.h5 (images table).
/// Collective.
void render_prompts(const run::Campaign& campaign, const run::Config& config, const PromptJob& job,
                    mpi::Communicator& world, const Log& log);

}  // namespace evd::evaluate
