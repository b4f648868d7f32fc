#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/members.hpp"

namespace evd::data {

/// Members that are never trained on, by index: each with probability `share`, drawn by (seed, id)
/// alone, so that it is held out in every round. Those of smallest draw first: the first few are
/// the same ones from round to round, while they are in the set.
[[nodiscard]] std::vector<std::size_t> held_out(std::span<const Member> members, double share,
                                                std::uint64_t seed);

/// As Order takes them: `buckets` with kHeldOut for those members.
[[nodiscard]] std::vector<int> without_held_out(std::vector<int> buckets,
                                                std::span<const Member> members, double share,
                                                std::uint64_t seed);

}  // namespace evd::data
