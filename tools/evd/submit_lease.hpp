#pragma once

#include "run/campaign.hpp"
#include "run/lease.hpp"

namespace evd::hands {

/// This process as the holder of a lease that is no stage's; `what` names the command.
[[nodiscard]] run::LeaseRecord command_identity(const std::string& what);

/// Held by the one `evd submit` or `evd cancel` that is at work on a campaign: two at once would
/// submit a stage twice. ConfigurationError for the second. `what` names the command.
class SubmitLease {
 public:
  SubmitLease(const run::Campaign& campaign, const std::string& what);
  /// Throws when another one has taken over; asked before each job.
  void confirm() const { lease_.confirm(); }

 private:
  Log log_;
  run::Lease lease_;
};

}  // namespace evd::hands
