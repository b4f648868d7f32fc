#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "teacher/journal.hpp"
#include "teacher/workers.hpp"

namespace evd::teacher {

/// What other jobs spend of the campaign's budget while this one runs, read from their journals:
/// harvest(r+1) and score(r), say, draw from the same line at once. For rank 0 only.
///
/// It begins where the journals stood when they were read for what is left of the budget, so what
/// is spent between that and now counts, and counts once.
///
/// A look lists the segments and reads again those that have grown; one takes as long as reading
/// those. On NFS a new file of another node may stay unseen for a minute.
class Spending {
 public:
  /// Reads nothing: `known` is the start. Segments of `job` (Caller::Setup::job, also with a number
  /// behind it) are one's own. `lines` are the budget lines that are asked about.
  /// `log` is told once of a segment that is there and cannot be read.
  Spending(const Journals& known, std::string job, std::vector<std::string> lines, Log log);
  Spending(const Spending&) = delete;
  Spending& operator=(const Spending&) = delete;

  /// Micro-dollars that other jobs have spent of lines[line] since then, or may have; less than 0
  /// when what they had announced before became cheaper. Returns at once, with what the last look
  /// saw: a thread looks now and every 2 s from then on, and takes at most a tenth of the time.
  [[nodiscard]] std::int64_t since_start_microusd(int line);
  /// Looks now and returns when it is done. What cannot be read counts as it was at the look
  /// before.
  void look();

 private:
  struct Segment {
    std::uint64_t bytes = 0;
    std::vector<std::int64_t> at_start;  // by line; so is the next
    std::vector<std::int64_t> now;
    bool is_told = false;  // that it cannot be read
  };
  [[nodiscard]] bool is_own(const std::filesystem::path& file) const;
  [[nodiscard]] std::vector<std::int64_t> spent_in(const Journals::Segment& segment) const;
  void read(const std::filesystem::path& file);
  void read_all();

  std::filesystem::path directory_;
  std::string job_;
  std::vector<std::string> lines_;
  Log log_;
  std::mutex look_mutex_;  // one look at a time
  std::map<std::filesystem::path, Segment> segments_;
  std::mutex totals_mutex_;
  std::vector<std::int64_t> totals_;  // by line
  std::atomic<bool> looking_ = false;
  std::atomic<double> next_look_s_ = 0;
  Workers worker_{1};  // last: it ends before what it works on
};

}  // namespace evd::teacher
