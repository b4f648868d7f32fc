#pragma once

#include <filesystem>
#include <vector>

#include "core/log.hpp"
#include "run/lease.hpp"

namespace evd::run {

/// Holders of leases below `leases` that are not known to be gone, `self` left out. Those of whom
/// only their counter can tell are watched together, for timing.watch_s.
[[nodiscard]] std::vector<LeaseRecord> living_holders(const std::filesystem::path& leases,
                                                      const LeaseRecord& self,
                                                      const LeaseProbes& probes,
                                                      const LeaseTiming& timing, const Log& log);

/// The lease that `evd gc` holds while it decides what goes and takes it away. A stage takes its
/// own lease and then looks at this one; gc takes this one and then looks at those of the stages:
/// whoever comes second sees the other.
[[nodiscard]] std::filesystem::path cleaning_lease(const Campaign& campaign);
/// Returns once nobody holds it. Stopped when a signal comes first.
void await_cleaning(const Campaign& campaign, const LeaseRecord& self, const LeaseProbes& probes,
                    const LeaseTiming& timing, const Log& log);

}  // namespace evd::run
