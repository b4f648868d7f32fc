#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "train/activity.hpp"

namespace evd::train {

/// Steps of a round, from 0: [begin, end).
struct StepRange {
  std::int64_t begin = 0;
  std::int64_t end = 0;
  [[nodiscard]] bool empty() const { return begin >= end; }
};
/// "10:13" = steps 10, 11 and 12. UsageError otherwise.
[[nodiscard]] StepRange parse_step_range(const std::string& text);

/// Records what this rank does in a few steps and writes it as one file of the Trace Event Format,
/// which chrome://tracing and ui.perfetto.dev show: what the rank does in the first row, reductions
/// of buckets, which overlap it, in the second. Times are UTC, so that ranks' files fit together.
class Profile final : public Observer {
 public:
  /// `first_step`: of the round, counted over the campaign. A range that is over when it begins
  /// records nothing.
  Profile(StepRange range, std::int64_t first_step, int rank, std::filesystem::path file,
          const Log& log);

  void enter(Operation operation, std::int64_t step) override;
  void reduced(std::size_t bucket, double begin_s, double end_s) override;
  /// Nothing more comes: writes what there is, if it was not written yet. IoError.
  void finish();

 private:
  struct Event {
    std::string name;
    int row = 0;
    std::int64_t step = 0;
    double begin_s = 0;
    double end_s = 0;
  };
  [[nodiscard]] bool records(std::int64_t step) const;

  StepRange range_;
  std::int64_t first_step_;
  int rank_;
  std::filesystem::path file_;
  const Log& log_;
  double utc_offset_s_;  // of the monotonic clock
  std::vector<Event> events_;
  bool is_open_ = false;  // the last event has not ended
  bool is_written_ = false;
  std::int64_t step_ = -1;
};

}  // namespace evd::train
