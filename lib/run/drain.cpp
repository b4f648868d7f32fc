#include "run/drain.hpp"

#include "core/clock.hpp"

namespace evd::run {

bool Drain::over() {
  if (!handout_.stopping()) return false;
  if (!begun()) {
    begun_s_ = monotonic_s();
    caller_.stop();
    log_.info("stopping: answers that are under way are waited for, up to " +
              human_duration(longest_s_));
  }
  return monotonic_s() - begun_s_ > longest_s_;
}

}  // namespace evd::run
