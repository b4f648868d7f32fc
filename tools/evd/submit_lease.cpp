#include "submit_lease.hpp"

#include <cstdlib>

#include "run/launch.hpp"

namespace evd::hands {

run::LeaseRecord command_identity(const std::string& what) {
  auto record = run::lease_identity({}, run::job_name(std::getenv), 1);
  record.stage = what;
  record.round = run::kNoRound;
  return record;
}

SubmitLease::SubmitLease(const run::Campaign& campaign, const std::string& what)
    : log_("evd", 0),
      lease_(campaign.root() / "leases" / "submit.json", command_identity(what),
             run::system_probes(), {}, log_, [] {}) {}

}  // namespace evd::hands
