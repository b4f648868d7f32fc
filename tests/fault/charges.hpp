#pragma once

#include "support/tiny_campaign.hpp"

namespace evd::test {

/// Fails the test unless, after these steps of a campaign on the embedded services,
///   - the server charged each request at most once, and once more for each ambiguous intent of it,
///   - paid <= charged <= paid + ambiguous, in money.
void expect_nothing_paid_twice(const TinyCampaign& campaign,
                               const std::vector<TinyCampaign::Step>& steps);

}  // namespace evd::test
