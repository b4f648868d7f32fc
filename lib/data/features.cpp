#include "data/features.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/half.hpp"
#include "shard/table.hpp"

namespace evd::data {
namespace {

// Descriptors held at once: far below the 1,024 that a process usually may have.
constexpr std::size_t kMostOpen = 256;
// Read, compared and converted at once: small enough for a core's own cache beside its floats.
constexpr std::size_t kPieceValues = 65536;

std::uint64_t values_of(const shard::Feature& row) {
  const auto channels = static_cast<std::uint64_t>(row.channels);
  if (row.kind == shard::FeatureKind::text)
    return static_cast<std::uint64_t>(row.tokens) * channels;
  return 2 * channels * static_cast<std::uint64_t>(row.height) *
         static_cast<std::uint64_t>(row.width);
}

}  // namespace

FeatureFiles::FeatureFiles(std::span<const std::filesystem::path> files) {
  static constexpr std::array<std::string_view, 5> kColumns = {"kind", "tokens", "channels",
                                                               "height", "width"};
  for (const auto& path : files) {
    files_.push_back({shard::ByteRows::of<shard::Feature>(path, "bytes"),
                      shard::Table<shard::Feature>(path).read(kColumns)});
    const File& file = files_.back();
    for (std::size_t i = 0; i < file.rows.size(); ++i) {
      const auto& row = file.rows[i];
      const int least = std::min({row.tokens, row.channels, row.height, row.width});
      if (least < 0 || values_of(row) * sizeof(std::uint16_t) != file.bytes.bytes(i))
        throw DataError(path.string() + ": row " + std::to_string(i) +
                        ": its bytes are not as many as its shape says");
    }
  }
}

const shard::Feature& FeatureFiles::row(const FeaturePlace& place) const {
  const auto& file = files_.at(static_cast<std::size_t>(place.file));
  if (place.row < 0 || static_cast<std::size_t>(place.row) >= file.rows.size())
    throw DataError(file.bytes.path().string() + ": no row " + std::to_string(place.row));
  return file.rows[static_cast<std::size_t>(place.row)];
}

void FeatureFiles::keep_open(std::size_t file) const {
  if (files_.size() <= kMostOpen) return;
  const std::lock_guard lock(mutex_);
  const auto at = std::find(open_.begin(), open_.end(), file);
  if (at != open_.end()) {
    open_.splice(open_.begin(), open_, at);
    return;
  }
  open_.push_front(file);
  if (open_.size() <= kMostOpen) return;
  files_[open_.back()].bytes.close();
  open_.pop_back();
}

std::vector<float> FeatureFiles::read(const FeaturePlace& place, shard::FeatureKind kind,
                                      int channels) const {
  const auto& feature = row(place);
  const auto& bytes = files_[static_cast<std::size_t>(place.file)].bytes;
  if (feature.kind != kind || feature.channels != channels)
    throw DataError(bytes.path().string() + ": row " + std::to_string(place.row) + ": a " +
                    std::string(name(feature.kind)) + " of " + std::to_string(feature.channels) +
                    " channels, expected a " + std::string(name(kind)) + " of " +
                    std::to_string(channels));
  keep_open(static_cast<std::size_t>(place.file));
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(values_of(feature)));
  std::array<std::uint16_t, kPieceValues> buffer;
  bytes.read(static_cast<std::size_t>(place.row), std::as_writable_bytes(std::span(buffer)),
             [&](Bytes piece) {
               const auto bits = std::span(buffer).first(piece.size() / sizeof buffer[0]);
               if (kind == shard::FeatureKind::text)
                 append_floats(values, bits, from_bfloat16);
               else
                 append_floats(values, bits, from_half);
             });
  return values;
}

FeatureFiles::Text FeatureFiles::text(const FeaturePlace& place, int channels) const {
  return {read(place, shard::FeatureKind::text, channels), row(place).tokens};
}

FeatureFiles::Latents FeatureFiles::latents(const FeaturePlace& place, int channels) const {
  return {row(place).height, row(place).width, read(place, shard::FeatureKind::latent, channels)};
}

FeatureSamples::FeatureSamples(const FeatureFiles& files, Places places, int text_channels,
                               int latent_channels, const Samples* others)
    : files_(files),
      places_(std::move(places)),
      text_channels_(text_channels),
      latent_channels_(latent_channels),
      others_(others) {
  if (places_.latents.empty() && others == nullptr)
    throw InternalError("samples without pictures or latents");
}

Loaded FeatureSamples::load(std::size_t index) const {
  Loaded loaded;
  if (places_.latents.empty()) {
    loaded = others_->load(index);
  } else {
    auto latents = files_.latents(places_.latents.at(index), latent_channels_);
    loaded.height = latents.height;
    loaded.width = latents.width;
    const auto half =
        latents.values.begin() + static_cast<std::ptrdiff_t>(latents.values.size() / 2);
    loaded.picture.assign(latents.values.begin(), half);
    loaded.deviation.assign(half, latents.values.end());
  }
  if (!places_.texts.empty()) {
    auto text = files_.text(places_.texts.at(index), text_channels_);
    loaded.text = std::move(text.states);
    loaded.tokens = text.tokens;
  }
  return loaded;
}

}  // namespace evd::data
