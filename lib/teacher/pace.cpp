#include "teacher/pace.hpp"

#include <algorithm>

namespace evd::teacher {
namespace {

constexpr double kGrowEvery_s = 30;
// Requests that were under way at a 429 come back throttled together: that is one event.
constexpr double kShrinkEvery_s = 1;

}  // namespace

Pace::Pace(int max_in_flight, double requests_per_minute)
    : max_in_flight_(max_in_flight),
      limit_(max_in_flight),
      rate_(requests_per_minute / 60),
      capacity_(std::max(1.0, rate_)),
      tokens_(capacity_) {}

void Pace::refill(double now_s) {
  if (refilled_s_ >= 0) tokens_ = std::min(capacity_, tokens_ + rate_ * (now_s - refilled_s_));
  refilled_s_ = now_s;
}

bool Pace::ready(double now_s) {
  if (limit_ < max_in_flight_ && now_s - changed_s_ >= kGrowEvery_s) {
    ++limit_;
    changed_s_ = now_s;
  }
  if (in_flight_ >= limit_) return false;
  if (rate_ <= 0) return true;
  refill(now_s);
  return tokens_ >= 1;
}

void Pace::begin(double now_s) {
  ++in_flight_;
  if (rate_ <= 0) return;
  refill(now_s);
  tokens_ -= 1;
}

void Pace::end(double now_s, Ended how) {
  --in_flight_;
  if (how != Ended::throttled) return;
  if (limit_ == max_in_flight_ || now_s - changed_s_ >= kShrinkEvery_s)
    limit_ = std::max(1, limit_ / 2);
  changed_s_ = now_s;
}

}  // namespace evd::teacher
