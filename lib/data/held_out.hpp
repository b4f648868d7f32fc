#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "data/members.hpp"

namespace evd::data {

/// Members that are never trained on, by index: each with probability `share`, drawn by (seed, id)
/// alone, so that it is held out in every round while the share stays. Those of smallest draw
/// first: the first few are the same ones from round to round, while they are in the set.
[[nodiscard]] std::vector<std::size_t> held_out(std::span<const Member> members, double share,
                                                std::uint64_t seed);

/// Start noise of a held-out prompt's pictures: the same in every round, so that a curve over
/// rounds compares like with like. Below 2^63, so that the images table can show it.
[[nodiscard]] inline std::uint64_t heldout_noise(const SampleId& id) { return id.low64() >> 1; }

/// As Order takes them: `buckets` with kHeldOut for those members.
[[nodiscard]] std::vector<int> without_held_out(std::vector<int> buckets,
                                                std::span<const Member> members, double share,
                                                std::uint64_t seed);

}  // namespace evd::data
