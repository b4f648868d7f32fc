#include "data/held_out.hpp"

#include <algorithm>
#include <utility>

#include "core/random.hpp"
#include "data/order.hpp"

namespace evd::data {

std::vector<std::size_t> held_out(std::span<const Member> members, double share,
                                  std::uint64_t seed) {
  std::vector<std::pair<double, std::size_t>> drawn;
  for (std::size_t i = 0; i < members.size(); ++i) {
    const double draw = Random(seed, Purpose::held_out, members[i].id.low64()).uniform();
    if (draw < share) drawn.emplace_back(draw, i);
  }
  std::sort(drawn.begin(), drawn.end());
  std::vector<std::size_t> indices;
  for (const auto& [draw, index] : drawn) indices.push_back(index);
  return indices;
}

std::vector<int> without_held_out(std::vector<int> buckets, std::span<const Member> members,
                                  double share, std::uint64_t seed) {
  for (const auto index : held_out(members, share, seed)) buckets.at(index) = kHeldOut;
  return buckets;
}

}  // namespace evd::data
