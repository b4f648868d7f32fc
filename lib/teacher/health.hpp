#pragma once

#include <string>

namespace evd::teacher {

/// Whether a service is answering: a circuit breaker, and the patience with it. Times are of the
/// monotonic clock and come from outside.
///
/// Closed: calls go. After 5 failures in a row it opens, and only one probe goes at a time, 1 s
/// later, then after twice that, up to a minute; the first good answer closes it. A service that
/// gave nothing good for `patience_s` since its first failure is down for the rest of the job.
class ServiceHealth {
 public:
  explicit ServiceHealth(double patience_s) : patience_s_(patience_s) {}

  /// A definite answer came: also a refusal, or an error that is the request's own.
  void good();
  /// Nothing, or an error that is the service's own. True when it counts against the request, too:
  /// not while the service as a whole fails.
  bool bad(double now_s, const std::string& reason);
  /// It asked for a pause; that ends a probe, and the next one comes after the pause.
  void pause(double now_s, double seconds);
  /// Nothing can succeed until a person acts.
  void stop(const std::string& reason);

  /// Whether a call may be started now; the caller says so with begin().
  [[nodiscard]] bool ready(double now_s) const;
  void begin();
  /// A started call was not sent after all.
  void abandon();
  [[nodiscard]] bool open() const { return open_; }
  /// Nobody has asked for a while: old failures say nothing about now.
  void renew();
  /// Given up: stopped, or out of patience.
  [[nodiscard]] bool down(double now_s);
  [[nodiscard]] const std::string& why() const { return why_; }

 private:
  void close();
  double patience_s_;
  int failures_ = 0;
  bool open_ = false;
  bool probing_ = false;
  bool down_ = false;
  double first_bad_s_ = -1;
  double open_for_s_ = 0;
  double not_before_s_ = 0;
  std::string why_;
};

}  // namespace evd::teacher
