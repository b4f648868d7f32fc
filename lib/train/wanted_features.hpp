#pragma once

#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "data/members.hpp"
#include "data/targets.hpp"
#include "mpi/broadcast.hpp"
#include "run/program.hpp"
#include "shard/catalog.hpp"
#include "train/extraction.hpp"
#include "train/features.hpp"

namespace evd::train {

enum class Whose : std::uint8_t { nobody, prompt, member };

/// A feature that the round reads.
struct Wanted {
  RequestKey key;
  shard::FeatureKind kind = shard::FeatureKind::text;
  Whose whose = Whose::nobody;
  std::size_t index = 0;  ///< of the prompt or member
};

/// All features that a round reads: the empty text first (nobody's), then texts of prompts and of
/// members, then latents of members; none without encoders. Equal keys are one feature.
class WantedFeatures {
 public:
  /// Collective; rank 0 reads the targets. What is given must outlive it. DataError naming a sample
  /// whose target cannot be read.
  WantedFeatures(const run::Context& context, std::span<const data::Member> members,
                 std::span<const std::string> prompts, const shard::Catalog& catalog);

  [[nodiscard]] std::size_t size() const { return wanted_.size(); }
  [[nodiscard]] const Wanted& operator[](std::size_t index) const { return wanted_[index]; }
  /// How many different ones there are.
  [[nodiscard]] std::size_t different() const { return first_.size(); }
  /// The first one of this key; nothing when none is wanted.
  [[nodiscard]] std::optional<std::size_t> find(const RequestKey& key) const;
  [[nodiscard]] std::size_t first_like(std::size_t index) const {
    return first_.at(wanted_[index].key);
  }
  [[nodiscard]] bool is_first(std::size_t index) const { return first_like(index) == index; }
  /// How it is made.
  [[nodiscard]] Task task(std::size_t index) const;
  /// The size that each member is trained at.
  [[nodiscard]] const SizeBuckets& buckets() const { return buckets_; }

 private:
  [[nodiscard]] bool is_root() const { return context_.world.rank() == 0; }
  void size_up(const shard::Catalog& catalog);
  void want();
  [[nodiscard]] data::AspectBucket bucket(std::size_t member) const;
  [[nodiscard]] std::string_view prompt(const Wanted& wanted) const;
  [[nodiscard]] RequestKey key_of(const Wanted& wanted) const;

  const run::Context& context_;
  const run::Config& config_;
  std::span<const data::Member> members_;
  std::span<const std::string> prompts_;
  SizeBuckets buckets_;
  std::vector<data::TargetFacts> facts_;  // rank 0
  std::vector<Wanted> wanted_;
  std::unordered_map<RequestKey, std::size_t> first_;
};

}  // namespace evd::train
