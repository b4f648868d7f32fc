#include "train/hang.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "core/text.hpp"

namespace evd::train {
namespace {

constexpr double kTimesUsual = 10;
constexpr double kMostCounted = 100;
constexpr std::size_t kMostNamed = 16;

bool is_of_a_step(Operation operation) {
  return operation >= Operation::data && operation <= Operation::update;
}

using Place = std::pair<std::int64_t, Operation>;
Place place_of(const BoardRecord& record) { return {record.step, record.operation}; }

std::string doing(const BoardRecord& record, std::int64_t now_ms) {
  return format(
      "step %lld, %s since %s", static_cast<long long>(record.step),
      std::string(name(record.operation)).c_str(),
      human_duration(std::max<double>(0, static_cast<double>(now_ms - record.since_ms)) / 1e3)
          .c_str());
}

}  // namespace

void HangLimits::Mean::add(double seconds) {
  // Old values fade, so that a limit follows what steps cost now.
  if (count >= kMostCounted) {
    sum_s -= sum_s / count;
    count -= 1;
  }
  sum_s += seconds;
  count += 1;
}

void HangLimits::took(Operation operation, double seconds) {
  if (operation == Operation::data && step_so_far_s_ > 0) {
    step_.add(step_so_far_s_);
    step_so_far_s_ = 0;
  }
  if (is_of_a_step(operation)) step_so_far_s_ += seconds;
  if (operation == Operation::checkpoint) checkpoint_.add(seconds);
  if (operation == Operation::validation) validation_.add(seconds);
}

double HangLimits::limit_s(Operation operation) const {
  const auto at_least = [](double floor_s, const Mean& mean) {
    return mean.count == 0 ? floor_s : std::max(floor_s, kTimesUsual * mean.sum_s / mean.count);
  };
  if (is_of_a_step(operation)) return at_least(step_floor_s_, step_);
  if (operation == Operation::checkpoint) return at_least(phase_floor_s_, checkpoint_);
  if (operation == Operation::validation) return at_least(phase_floor_s_, validation_);
  return phase_floor_s_;
}

Hang judge_hang(std::span<const std::optional<BoardRecord>> before,
                std::span<const std::optional<BoardRecord>> now, const HangLimits& limits,
                std::int64_t now_ms) {
  Place foremost{-1, Operation::load};
  for (const auto& record : now) {
    if (record) foremost = std::max(foremost, place_of(*record));
  }
  Hang hang;
  std::size_t named = 0;
  bool all_move = true;
  bool one_may_come = false;
  const auto name_rank = [&](std::size_t rank, const std::string& what) {
    if (++named <= kMostNamed) hang.lines.push_back("rank " + std::to_string(rank) + " " + what);
  };
  for (std::size_t rank = 0; rank < now.size(); ++rank) {
    const auto& record = now[rank];
    if (!record) {
      all_move = false;
      name_rank(rank, "has told nothing in this life");
    } else if (before[rank] && before[rank]->beat == record->beat) {
      all_move = false;
      name_rank(rank,
                "does not move, its process or node is stopped or gone: " + doing(*record, now_ms));
    } else if (place_of(*record) < foremost) {
      name_rank(rank, "lags: " + doing(*record, now_ms));
      const double taken_s = static_cast<double>(now_ms - record->since_ms) / 1e3;
      one_may_come = one_may_come || taken_s < limits.limit_s(record->operation);
    }
  }
  if (named > kMostNamed) {
    hang.lines.push_back("and " + std::to_string(named - kMostNamed) + " more ranks");
  }
  if (named == 0) hang.lines.emplace_back("no rank lags: all wait in the same operation");
  hang.is_worth_waiting = all_move && one_may_come;
  return hang;
}

}  // namespace evd::train
