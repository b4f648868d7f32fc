#pragma once

#include <cstdint>
#include <string>

namespace evd {

/// UTC milliseconds since 1970: what every stored time is.
[[nodiscard]] std::int64_t utc_ms();
/// Seconds of the monotonic clock: what every duration and time-out is measured with.
[[nodiscard]] double monotonic_s();
/// "2026-01-31T23:59:59Z".
[[nodiscard]] std::string iso8601(std::int64_t utc_ms);
/// "3 h 05 min", "4 min 10 s", "12.3 s".
[[nodiscard]] std::string human_duration(double seconds);

}  // namespace evd
