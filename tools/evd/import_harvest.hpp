#pragma once

#include "captions.hpp"
#include "run/campaign.hpp"

namespace evd::hands {

/// Publishes harvest(0) of a campaign from pictures that one has, at cost 0: teacher `imported`,
/// one row for each prompt that the campaign starts with. ConfigurationError when harvest(0) is
/// done already or being run.
void publish_imported(const run::Campaign& campaign, const Captions& captions);

}  // namespace evd::hands
