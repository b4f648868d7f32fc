#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "run/campaign.hpp"

namespace evd::hands {

/// What was typed after `evd submit`.
struct SubmitOptions {
  std::filesystem::path directory;
  int rounds = 0;
  std::string site;
  bool dry_run = false;
  bool redo_stale = false;
  std::string stage;
  std::string round;
  std::string rerun;
  bool yes = false;
  bool then_rest = false;
};

/// The stage that --stage and --round name; nothing when the whole chain is meant. UsageError when
/// the options do not go together.
[[nodiscard]] std::optional<run::StageRef> named_stage(const SubmitOptions& options);
/// What --rerun adds to the program's command line; UsageError for an unknown way.
[[nodiscard]] std::string rerun_arguments(const SubmitOptions& options);

}  // namespace evd::hands
