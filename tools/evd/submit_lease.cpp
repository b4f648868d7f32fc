#include "submit_lease.hpp"

#include <cstdlib>

#include "run/launch.hpp"

namespace evd::hands {
namespace {

run::LeaseRecord record_of(const std::string& what) {
  auto record = run::lease_identity({}, run::job_name(std::getenv), 1);
  record.stage = what;
  record.round = run::kNoRound;
  return record;
}

}  // namespace

SubmitLease::SubmitLease(const run::Campaign& campaign, const std::string& what)
    : log_("evd", 0),
      lease_(campaign.root() / "leases" / "submit.json", record_of(what), run::system_probes(), {},
             log_, [] {}) {}

}  // namespace evd::hands
