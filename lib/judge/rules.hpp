#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "run/config.hpp"
#include "vlm/dialect.hpp"

namespace evd::judge {

/// Everything that a decision depends on beside the set, the pictures and the answers.
struct Rules {
  std::uint64_t seed = 1;
  int round = 0;
  run::JudgeOptions judge;
  run::CapOptions cap;
  std::vector<std::string> teachers;  ///< in the configuration's order
  int min_teachers = 1;
  std::string service = "vlm";  ///< part of every request key
  std::string model;
  vlm::Dialect dialect = {};  ///< how the service wants to be asked
  std::size_t max_prompt_chars = 2000;
  int ask_epoch = 0;  ///< raised by --rerun=fresh: all questions are asked anew
};

[[nodiscard]] inline Rules rules_of(const run::Config& config, int round) {
  Rules rules{.seed = config.campaign.seed,
              .round = round,
              .judge = config.judge,
              .cap = config.cap,
              .min_teachers = config.harvest.min_teachers,
              .service = config.vlm.name,
              .model = config.vlm.model,
              .dialect = config.vlm.dialect,
              .max_prompt_chars = static_cast<std::size_t>(config.set.max_prompt_chars)};
  for (const auto& teacher : config.teachers) rules.teachers.push_back(teacher.name);
  return rules;
}

}  // namespace evd::judge
