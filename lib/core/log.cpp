#include "core/log.hpp"

#include <array>

#include <unistd.h>

#include "core/clock.hpp"

namespace evd {

void Log::write(Level level, std::string_view text) const {
  if (level == Level::info && rank_ != 0) return;
  static constexpr std::array kNames = {"info", "warning", "error"};
  std::string line = iso8601(utc_ms()) + " " + kNames[static_cast<std::size_t>(level)] + " " +
                     program_ + " rank " + std::to_string(rank_) + ": ";
  line.append(text);
  line += '\n';
  // Nothing sensible can be done when standard error is gone.
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, line.data(), line.size());
}

}  // namespace evd
