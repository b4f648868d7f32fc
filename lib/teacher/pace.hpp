#pragma once

namespace evd::teacher {

/// How many requests an account may have under way, and how often one may start. Limits of a
/// service are account-wide, so there is one Pace for the whole job. Times are of the monotonic
/// clock and come from outside.
///
/// In flight: additive increase, multiplicative decrease. Halved by an HTTP 429 (once for all that
/// were under way then), plus one for each 30 s without any, never above `max_in_flight`.
/// Rate: a token bucket that holds at most one second's worth.
class Pace {
 public:
  /// `requests_per_minute` 0 = no limit.
  Pace(int max_in_flight, double requests_per_minute);

  /// Whether a request may start now.
  [[nodiscard]] bool ready(double now_s);
  void begin(double now_s);
  enum class Ended { well, throttled };
  void end(double now_s, Ended how);

  [[nodiscard]] int in_flight() const { return in_flight_; }
  [[nodiscard]] int limit() const { return limit_; }

 private:
  void refill(double now_s);
  int max_in_flight_;
  int limit_;
  int in_flight_ = 0;
  double rate_;      // requests a second
  double capacity_;  // tokens
  double tokens_;
  double refilled_s_ = -1;
  double changed_s_ = 0;
};

}  // namespace evd::teacher
