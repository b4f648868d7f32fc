#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "core/log.hpp"

namespace evd::run {

/// Progress of a stage: a line that rewrites itself on a terminal, one line a minute in a log, and
/// a small file in the campaign that `evd status` reads (rate, ETA). Rank 0 only; others are
/// silent.
class Progress {
 public:
  Progress(const Log& log, std::string what, std::filesystem::path status_file);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  /// `unit` such as "images", "answers", "steps".
  void begin(std::string unit, std::int64_t total);
  /// Sets how many are done; `note` is a short free text (loss, cost).
  void update(std::int64_t done, const std::string& note = "");

 private:
  const Log& log_;
  std::string what_;
  std::filesystem::path status_file_;
  std::string unit_;
  std::int64_t total_ = 0;
  std::int64_t done_ = 0;
  double begun_s_ = 0;
  double last_shown_s_ = 0;
  double last_saved_s_ = 0;
};

}  // namespace evd::run
