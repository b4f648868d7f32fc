#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>

#include "core/log.hpp"
#include "train/activity.hpp"
#include "train/hang.hpp"

namespace evd::train {

/// Ends the job when it stands still: a rank that was stopped, a node that is gone, a file system
/// that does not answer would otherwise hold all ranks until the time limit. No MPI call is made.
///
/// Each rank says on the board what it does, at most every `beat_s`, by a thread of its own; a
/// second one watches how long the current operation takes. Past the limit it looks at the board
/// twice, prints the ranks that lag or whose records stand still, and leaves with _exit, so that
/// the launcher ends the others. One rank of the job prints, the one that is first.
class Watchdog final : public Observer {
 public:
  struct Setup {
    std::filesystem::path directory;  ///< of the stage
    int attempt = 1;                  ///< the same on all ranks, another in each life
    int rank = 0;
    int ranks = 1;
    HangLimits limits{600, 3600};
    double beat_s = 5;
    /// Leaves the process; _exit(75) when empty: what was saved is there to go on from.
    std::function<void()> leave = nullptr;
  };
  /// IoError when the board cannot be opened.
  Watchdog(Setup setup, const Log& log);
  /// The last one on rank 0 removes the board.
  ~Watchdog() override;
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;

  /// This rank begins an operation of a step. Costs a lock that nobody holds for long.
  void enter(Operation operation, std::int64_t step) override;

  static constexpr const char* kBoardName = "board";
  /// Made by the rank that prints, so that one does; removed when the next life begins.
  static constexpr const char* kHangName = "board.hang";

 private:
  struct Now {
    Operation operation = Operation::load;
    std::int64_t step = 0;
    std::int64_t sequence = 0;
    double since_s = 0;
    std::int64_t since_ms = 0;
  };
  [[nodiscard]] Now now() const;
  /// False = the watchdog is being taken down.
  bool rest(double seconds);
  void write_board();
  void watch();
  [[nodiscard]] bool is_still_there(const Now& then) const;
  /// Looks at the board twice; nothing when the watchdog is being taken down meanwhile.
  [[nodiscard]] std::optional<Hang> look();
  [[nodiscard]] bool is_first() const;
  void leave(const Now& late, const Hang& hang);

  Setup setup_;
  const Log& log_;
  Board board_;
  mutable std::mutex mutex_;
  std::condition_variable ends_;
  bool ended_ = false;
  Now now_;
  HangLimits limits_;
  std::thread scribe_;
  std::thread watcher_;
};

}  // namespace evd::train
