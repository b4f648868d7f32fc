#pragma once

#include <atomic>

namespace evd::run {

/// From now on SIGTERM, SIGUSR1 and SIGINT set the returned flag instead of ending the process; a
/// second SIGINT ends it at once. SIGPIPE and SIGXFSZ are ignored: a peer that went away and a file
/// that grew too large are error codes.
[[nodiscard]] const std::atomic<bool>& catch_stop_signals();
/// The flag itself, to set it from inside (a lost lease).
[[nodiscard]] std::atomic<bool>& stop_flag();

}  // namespace evd::run
