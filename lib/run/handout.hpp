#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "mpi/communicator.hpp"
#include "teacher/caller.hpp"

namespace evd::run {

/// Work and permits for a stage that asks services. Rank 0 hands out item numbers and permits by
/// two-sided messages inside the same event loop that drives the sockets; no thread, no one-sided
/// call.
/// Permits keep to the configured limits over all ranks: money of a budget line, requests under way
/// (halved by each 429, growing again) and requests per minute of a service; services of equal name
/// share them.
class Handout final : public teacher::Permits {
 public:
  struct Setup {
    std::int64_t items = 0;  ///< numbers 0..items-1 are handed out in order
    std::vector<teacher::ServiceOptions> services;
    /// Micro-dollars still free for each budget line; a service draws from line budget_of[service].
    std::vector<std::int64_t> budget_microusd;
    std::vector<int> budget_of;
    int chunk = 8;  ///< items handed out at once
    /// What other jobs have spent of a line since budget_microusd was read, in micro-dollars. Rank
    /// 0 asks it in every step, so it has to return at once (teacher::Spending). Empty = no other
    /// job.
    std::function<std::int64_t(int line)> spent_elsewhere = {};
  };
  /// Every rank constructs it with the same setup.
  Handout(const Setup& setup, mpi::Communicator& world);
  ~Handout() override;

  void ask(int service, std::int64_t max_cost_microusd, std::function<void(bool)> granted) override;
  void done(int service, std::int64_t reserved_microusd, std::int64_t paid_microusd,
            bool throttled) override;

  /// Next item for this rank, -1 = none right now (ask again after step), -2 = no more at all.
  [[nodiscard]] std::int64_t next();
  /// This rank has finished one item (progress is counted on rank 0).
  void finished(std::int64_t item);
  /// Serves and receives messages; never blocks.
  void step();
  /// Items finished over all ranks, as rank 0 knows.
  [[nodiscard]] std::int64_t finished_count() const;
  /// Micro-dollars that were, or may have been, charged over all ranks, as rank 0 knows.
  [[nodiscard]] std::int64_t paid_microusd() const;
  /// True once every item is finished on every rank and all ranks know it.
  [[nodiscard]] bool complete();
  [[nodiscard]] bool budget_spent() const;
  /// Stop handing out (signal); complete() then becomes true when what was handed out is finished.
  void stop();
  /// Whether any rank has called stop(), as soon as this one knows.
  [[nodiscard]] bool stopping() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::run
