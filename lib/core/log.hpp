#pragma once

#include <string>
#include <string_view>

namespace evd {

enum class Level { info, warning, error };

/// Lines on standard error: `2026-01-31T23:59:59Z info train rank 0: text`. Rank 0 speaks at every
/// level, the others from warning on. One write(2) a line, so lines of ranks do not mix.
class Log {
 public:
  Log(std::string program, int rank) : program_(std::move(program)), rank_(rank) {}
  void info(std::string_view text) const { write(Level::info, text); }
  void warning(std::string_view text) const { write(Level::warning, text); }
  void error(std::string_view text) const { write(Level::error, text); }
  [[nodiscard]] int rank() const { return rank_; }

 private:
  void write(Level level, std::string_view text) const;
  std::string program_;
  int rank_;
};

}  // namespace evd
