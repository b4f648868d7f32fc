#include "train/pieces.hpp"

#include <algorithm>
#include <cstring>

#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/safetensors.hpp"

namespace evd::train {
namespace {

constexpr const char* kTensor = "values";

Bytes values_of(const nn::Safetensors& file, std::size_t count) {
  const auto found = file.tensors().find(kTensor);
  if (found == file.tensors().end() || found->second.dtype != "F32" ||
      found->second.shape != std::vector<std::int64_t>{static_cast<std::int64_t>(count)}) {
    throw DataError(file.where() + ": not the piece of a checkpoint of this network (" +
                    std::to_string(count) + " float32 values are expected)");
  }
  return file.bytes(kTensor);
}

/// Which buffer of files with averages of `theirs` goes on as `kind` of a state with averages of
/// `ours`; nothing = none.
std::optional<Kind> source_of(Kind kind, std::span<const double> ours,
                              std::span<const double> theirs) {
  if (kind <= Kind::ema0) return kind;
  const auto first = static_cast<std::size_t>(Kind::ema1);
  const auto found = std::ranges::find(theirs, ours[static_cast<std::size_t>(kind) - first]);
  if (found == theirs.end()) return std::nullopt;
  return kKinds.at(first + static_cast<std::size_t>(found - theirs.begin()));
}

}  // namespace

Pieces::Pieces(const Sharding& sharding, std::size_t piece_elements, std::size_t averages)
    : sharding_(sharding), step_(piece_elements), kinds_(kinds_of(averages)), offsets_{0} {
  for (const auto& parameter : sharding.layout().parameters()) {
    offsets_.push_back(offsets_.back() + parameter.count);
  }
  elements_ = offsets_.back();
}

std::string Pieces::file_name(Kind kind, std::size_t number) {
  return std::string(name_of(kind)) + format("-%05zu.safetensors", number);
}

Range Pieces::elements_of(std::size_t piece) const {
  return {piece * step_, std::min((piece + 1) * step_, elements_)};
}

std::size_t Pieces::rounds() const {
  const auto ranks = static_cast<std::size_t>(sharding_.grid().world().size());
  return (kinds_.size() * count() + ranks - 1) / ranks;
}

std::size_t Pieces::own_bytes() const {
  const auto& world = sharding_.grid().world();
  std::size_t bytes = 0;
  for (auto i = static_cast<std::size_t>(world.rank()); i < kinds_.size() * count();
       i += static_cast<std::size_t>(world.size())) {
    bytes += elements_of(i % count()).size() * sizeof(float);
  }
  return bytes;
}

std::vector<Pieces::Run> Pieces::runs(Place place, Range elements) const {
  std::vector<Run> runs;
  const auto parameters = sharding_.layout().parameters();
  // Parameters, buckets and elements stand in one order.
  auto first = static_cast<std::size_t>(
      std::upper_bound(offsets_.begin(), offsets_.end(), elements.begin) - offsets_.begin() - 1);
  for (std::size_t i = first; i < parameters.size() && offsets_[i] < elements.end; ++i) {
    const std::size_t bucket = sharding_.cut().of[i];
    const Range part = sharding_.part(bucket, place);
    const auto& parameter = parameters[i];
    // Both ranges in elements of this parameter.
    const auto within = [&](std::size_t at) {
      return std::clamp(at, parameter.offset, parameter.offset + parameter.count) -
             parameter.offset;
    };
    const std::size_t begin =
        std::max(within(part.begin),
                 elements.begin > offsets_[i] ? elements.begin - offsets_[i] : std::size_t{0});
    const std::size_t end = std::min(within(part.end), elements.end - offsets_[i]);
    if (begin < end) {
      runs.push_back({bucket, parameter.offset + begin, offsets_[i] + begin, end - begin});
    }
  }
  return runs;
}

std::vector<float> Pieces::pack(const State& state, Kind kind, std::size_t piece) const {
  std::vector<float> values;
  for (const Run& run : runs(sharding_.grid().place(), elements_of(piece))) {
    const auto own = state.own(kind, run.bucket)
                         .subspan(run.flat - sharding_.own()[run.bucket].begin, run.count);
    values.insert(values.end(), own.begin(), own.end());
  }
  return values;
}

std::optional<Piece> Pieces::collect(const State& state, std::size_t round) const {
  const auto& world = sharding_.grid().world();
  const std::size_t all = kinds_.size() * count();
  const std::size_t first = round * static_cast<std::size_t>(world.size());
  std::vector<std::vector<float>> to(static_cast<std::size_t>(world.size()));
  for (std::size_t writer = 0; writer < to.size() && first + writer < all; ++writer) {
    const std::size_t index = first + writer;
    to[writer] = pack(state, kinds_[index / count()], index % count());
  }
  const auto from = world.all_to_all(to);
  const std::size_t own = first + static_cast<std::size_t>(world.rank());
  if (own >= all) return std::nullopt;
  Piece piece{kinds_[own / count()], own % count(), {}};
  const Range elements = elements_of(piece.number);
  piece.values.resize(elements.size());
  for (std::size_t rank = 0; rank < from.size(); ++rank) {
    const float* next = from[rank].data();
    for (const Run& run : runs(sharding_.grid().place_of(static_cast<int>(rank)), elements)) {
      std::copy_n(next, run.count, piece.values.data() + (run.element - elements.begin));
      next += run.count;
    }
  }
  return piece;
}

template <class Use>
void Pieces::read_runs(Kind kind, Place place, const std::filesystem::path& directory,
                       Use use) const {
  for (std::size_t piece = 0; piece < count(); ++piece) {
    const Range elements = elements_of(piece);
    const auto wanted = runs(place, elements);
    if (wanted.empty()) continue;
    const auto file = nn::Safetensors::map(directory / file_name(kind, piece));
    const Bytes values = values_of(file, elements.size());
    for (const Run& run : wanted) {
      use(run, values.subspan((run.element - elements.begin) * sizeof(float),
                              run.count * sizeof(float)));
    }
  }
}

void Pieces::restore(State& state, const std::filesystem::path& directory,
                     std::span<const double> more_decays) const {
  const auto& grid = sharding_.grid();
  const auto copy = [](Bytes values, float* out) {
    std::memcpy(out, values.data(), values.size());
  };
  const bool shares = state.engine().is_plain();
  // The node's weights are whole when each of its ranks has read its portion for all nodes.
  for (int node = 0; shares && node < grid.across().size(); ++node) {
    read_runs(Kind::master, {grid.local().rank(), node}, directory,
              [&](const Run& run, Bytes values) { copy(values, &state.weights()[run.flat]); });
  }
  state.fence();
  for (const Kind kind : state.kinds()) {
    if (kind == Kind::master && shares) continue;
    const auto from = source_of(kind, state.more_decays(), more_decays);
    if (!from) {
      for (std::size_t bucket = 0; bucket < sharding_.own().size(); ++bucket) {
        std::ranges::copy(state.own(Kind::master, bucket), state.own(kind, bucket).begin());
      }
      continue;
    }
    read_runs(*from, grid.place(), directory, [&](const Run& run, Bytes values) {
      const auto own = state.own(kind, run.bucket);
      copy(values, &own[run.flat - sharding_.own()[run.bucket].begin]);
    });
  }
  state.fence();
}

std::vector<float> Pieces::read_flat(Kind kind, const std::filesystem::path& directory) const {
  std::vector<float> flat(sharding_.layout().size());
  const auto& grid = sharding_.grid();
  for (int rank = 0; rank < grid.world().size(); ++rank) {
    read_runs(kind, grid.place_of(rank), directory, [&](const Run& run, Bytes values) {
      std::memcpy(&flat[run.flat], values.data(), values.size());
    });
  }
  return flat;
}

}  // namespace evd::train
