#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "run/handout.hpp"
#include "teacher/pace.hpp"

namespace evd::run {

/// Rank 0's side of the permits: who may send now, over all ranks. Money is reserved at its highest
/// before a request leaves and settled when it ended, so a job never overdraws a budget line by
/// itself. Jobs that run at once learn of each other through Handout::Setup::spent_elsewhere, which
/// is seconds late: together they may overdraw a line by what they spend in that time. Services of
/// equal name share their limits.
class PermitDesk {
 public:
  explicit PermitDesk(const Handout::Setup& setup);

  struct Ask {
    int rank = 0;
    std::int64_t ticket = 0;
    int service = 0;
    std::int64_t max_cost_microusd = 0;
  };
  void ask(const Ask& ask);
  void done(int service, std::int64_t reserved_microusd, std::int64_t paid_microusd,
            bool throttled);
  /// Answers all asks that can be answered now: granted, or refused because the line is spent.
  void serve(double now_s, const std::function<void(const Ask&, bool granted)>& answer);
  /// Whether an ask was refused.
  [[nodiscard]] bool budget_spent() const { return spent_; }
  /// What was, or may have been, charged for all that has ended.
  [[nodiscard]] std::int64_t paid_microusd() const { return paid_microusd_; }

 private:
  struct Line {
    std::int64_t free_microusd = 0;
    std::int64_t reserved_microusd = 0;
    std::int64_t elsewhere_microusd = 0;
  };
  struct Account {
    teacher::Pace pace;
    std::deque<Ask> asks;
  };
  enum class Money { enough, not_yet, spent };
  [[nodiscard]] Money money_for(const Ask& ask) const;
  [[nodiscard]] Line& line(int service);

  void note_elsewhere();

  std::function<std::int64_t(int)> spent_elsewhere_;
  std::vector<Line> lines_;
  std::vector<int> line_of_;
  std::vector<Account> accounts_;
  std::vector<int> account_of_;
  std::int64_t paid_microusd_ = 0;
  bool spent_ = false;
};

}  // namespace evd::run
