#include "train/visits.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>

namespace evd::train {
namespace {

/// What one rank tells of one sample.
struct Told {
  std::array<std::uint8_t, SampleId::kBytes> sample{};
  std::int32_t place = 0;
  std::int32_t timestep = 0;
  float loss = 0;
  std::int32_t caption_dropped = 0;
};

}  // namespace

std::vector<shard::Visit> gather_visits(const Part& part, std::span<const float> losses,
                                        std::size_t first_place, std::int64_t step, int round,
                                        const mpi::Communicator& world) {
  std::vector<Told> own(losses.size());
  for (std::size_t i = 0; i < losses.size(); ++i) {
    own[i] = {part.ids[i].bytes(), static_cast<std::int32_t>(first_place + i), part.timesteps[i],
              losses[i], part.captions[i] == nn::Caption::dropped ? 1 : 0};
  }
  std::vector<shard::Visit> visits;
  for (const auto& bytes : world.gather(std::as_bytes(std::span(own)), 0)) {
    for (std::size_t at = 0; at + sizeof(Told) <= bytes.size(); at += sizeof(Told)) {
      Told told;
      std::memcpy(&told, bytes.data() + at, sizeof told);
      visits.push_back({step, told.place, round, SampleId(told.sample), told.timestep,
                        told.caption_dropped != 0, told.loss});
    }
  }
  std::ranges::sort(visits, {}, &shard::Visit::place);
  return visits;
}

std::vector<double> loss_by_timestep(std::span<const shard::Visit> visits, int timesteps) {
  constexpr std::size_t kBins = 10;
  std::vector<double> sums(kBins);
  std::vector<double> counts(kBins);
  for (const auto& visit : visits) {
    if (!std::isfinite(visit.loss)) continue;
    const auto bin = static_cast<std::size_t>(visit.timestep) * kBins /
                     static_cast<std::size_t>(std::max(1, timesteps));
    sums[std::min(bin, kBins - 1)] += double{visit.loss};
    counts[std::min(bin, kBins - 1)] += 1;
  }
  for (std::size_t i = 0; i < kBins; ++i) {
    sums[i] = counts[i] > 0 ? sums[i] / counts[i] : std::numeric_limits<double>::quiet_NaN();
  }
  return sums;
}

}  // namespace evd::train
