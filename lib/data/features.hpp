#pragma once

#include <cstdint>
#include <filesystem>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <vector>

#include "data/samples.hpp"
#include "shard/byte_rows.hpp"

namespace evd::data {

/// Where a feature lies: a file of a list, and a row in it.
struct FeaturePlace {
  std::int32_t file = -1;
  std::int32_t row = -1;
  [[nodiscard]] bool is_known() const { return file >= 0; }
};

/// Feature files, open for random reads by several threads: HDF5 is asked once for each file, here.
class FeatureFiles {
 public:
  /// DataError naming a file that is damaged.
  explicit FeatureFiles(std::span<const std::filesystem::path> files);

  /// Texts: (tokens, channels) of a row. DataError naming file and row when they are damaged, or no
  /// text of `channels`.
  struct Text {
    std::vector<float> states;
    int tokens = 0;
  };
  [[nodiscard]] Text text(const FeaturePlace& place, int channels) const;
  /// Latents of a row: mean, then deviation, (2, channels, height, width).
  struct Latents {
    int height = 0;
    int width = 0;
    std::vector<float> values;
  };
  [[nodiscard]] Latents latents(const FeaturePlace& place, int channels) const;

 private:
  struct File {
    shard::ByteRows bytes;
    std::vector<shard::Feature> rows;  // without bytes
  };
  [[nodiscard]] std::vector<float> read(const FeaturePlace& place, shard::FeatureKind kind,
                                        int channels) const;
  [[nodiscard]] const shard::Feature& row(const FeaturePlace& place) const;
  void keep_open(std::size_t file) const;

  std::vector<File> files_;
  mutable std::mutex mutex_;
  mutable std::list<std::size_t> open_;  // newest first
};

/// Samples of features: texts, latents or both; what is not there comes from `others`.
class FeatureSamples final : public Samples {
 public:
  struct Places {
    std::vector<FeaturePlace> texts;    ///< of every sample; empty = no texts
    std::vector<FeaturePlace> latents;  ///< the same
  };
  /// Keeps references. `others` may be null when latents are there.
  FeatureSamples(const FeatureFiles& files, Places places, int text_channels, int latent_channels,
                 const Samples* others);
  [[nodiscard]] Loaded load(std::size_t index) const override;

 private:
  const FeatureFiles& files_;
  Places places_;
  int text_channels_;
  int latent_channels_;
  const Samples* others_;
};

}  // namespace evd::data
