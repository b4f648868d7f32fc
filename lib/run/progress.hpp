#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>

#include "core/log.hpp"

namespace evd::run {

/// How far a running stage is.
struct ProgressFacts {
  std::string what;
  std::string unit;
  std::string note;
  std::int64_t done = 0;
  std::int64_t total = 0;
  double rate_per_s = 0;
  std::int64_t updated_ms = 0;
};
/// "train(2): 130/400 steps, 12.1/s, 22.3 s left, loss 0.31".
[[nodiscard]] std::string progress_line(const ProgressFacts& facts);
/// What a running stage last saved; nothing when there is no such file.
[[nodiscard]] std::optional<ProgressFacts> read_progress(const std::filesystem::path& file);

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
  void save(const ProgressFacts& facts) const;

  const Log& log_;
  std::string what_;
  std::filesystem::path status_file_;
  bool is_terminal_;
  bool line_open_ = false;
  std::string unit_;
  std::int64_t total_ = 0;
  std::int64_t done_ = -1;
  std::int64_t first_done_ = -1;
  double begun_s_ = 0;
  double last_shown_s_ = 0;
  double last_logged_s_ = 0;
  double last_saved_s_ = 0;
};

}  // namespace evd::run
