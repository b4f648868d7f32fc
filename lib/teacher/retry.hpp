#pragma once

#include <string>

#include "core/random.hpp"

namespace evd::teacher {

/// When a service asks to come back; 0 = it does not say.
struct WaitHint {
  double seconds = 0;
};

/// Reads `retry-after-ms`, else `retry-after` (seconds, fractions allowed, or an HTTP date against
/// `now_unix_s`). What is no positive sensible time counts as no hint.
[[nodiscard]] WaitHint retry_after(const std::string& retry_after_ms,
                                   const std::string& retry_after, double now_unix_s);

/// Pause before the next attempt, in seconds: full jitter, uniform in [0, min(30, 2^failures)); a
/// hint is a floor, and up to a tenth of it is added so that not all come back at once.
[[nodiscard]] double backoff_s(int failures, const WaitHint& hint, Random random);

}  // namespace evd::teacher
