#include "teacher/health.hpp"

#include <algorithm>

#include "core/clock.hpp"

namespace evd::teacher {
namespace {

constexpr int kOpenAfter = 5;
constexpr double kFirstProbe_s = 1;
constexpr double kLastProbe_s = 60;

}  // namespace

void ServiceHealth::close() {
  failures_ = 0;
  open_ = false;
  probing_ = false;
  first_bad_s_ = -1;
  open_for_s_ = 0;
}

void ServiceHealth::good() {
  if (!down_) close();
}

bool ServiceHealth::bad(double now_s, const std::string& reason) {
  if (first_bad_s_ < 0) first_bad_s_ = now_s;
  if (!down_) why_ = reason;  // why it was given up stays
  const bool was_probe = probing_;
  probing_ = false;
  if (++failures_ < kOpenAfter) return true;
  // Those that were under way when it opened do not lengthen the pause.
  if (!open_ || was_probe) {
    // Never so long that patience ends without a probe.
    const double longest_s = std::min(kLastProbe_s, patience_s_ / 4);
    open_for_s_ = std::min(open_ ? 2 * open_for_s_ : kFirstProbe_s, longest_s);
    not_before_s_ = std::max(not_before_s_, now_s + open_for_s_);
  }
  open_ = true;
  return false;
}

void ServiceHealth::pause(double now_s, double seconds) {
  probing_ = false;  // it answered, though not well
  if (!down_ && why_.empty()) why_ = "it asks to slow down";
  if (first_bad_s_ < 0) first_bad_s_ = now_s;
  not_before_s_ = std::max(not_before_s_, now_s + seconds);
}

void ServiceHealth::stop(const std::string& reason) {
  if (down_) return;
  down_ = true;
  why_ = reason;
}

bool ServiceHealth::ready(double now_s) const {
  return !down_ && now_s >= not_before_s_ && !(open_ && probing_);
}

void ServiceHealth::begin() { probing_ = open_; }
void ServiceHealth::abandon() { probing_ = false; }

void ServiceHealth::renew() {
  if (!down_ && !open_) close();
}

bool ServiceHealth::down(double now_s) {
  if (!down_ && first_bad_s_ >= 0 && now_s - first_bad_s_ > patience_s_)
    stop("nothing good came for " + human_duration(now_s - first_bad_s_) + ", last: " + why_);
  return down_;
}

}  // namespace evd::teacher
