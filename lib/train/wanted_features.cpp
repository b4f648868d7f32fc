#include "train/wanted_features.hpp"

#include "data/feature_key.hpp"
#include "nn/prompt_form.hpp"

namespace evd::train {

using shard::FeatureKind;

WantedFeatures::WantedFeatures(const run::Context& context, std::span<const data::Member> members,
                               std::span<const std::string> prompts, const shard::Catalog& catalog)
    : context_(context), config_(context.config), members_(members), prompts_(prompts) {
  size_up(catalog);
  if (config_.has_t5() || config_.has_vae()) want();
}

/// Sizes, buckets, and the targets' digests on rank 0.
void WantedFeatures::size_up(const shard::Catalog& catalog) {
  buckets_.of.assign(members_.size(), 0);
  if (!config_.has_vae()) return;
  if (is_root()) {
    std::vector<shard::ImageLocation> locations;
    for (const auto& member : members_) locations.push_back(member.target);
    facts_ = data::target_facts(catalog, locations);
  }
  if (!config_.network.multi_aspect) return;
  buckets_.table = data::aspect_table(config_.side_px());
  for (const auto& fact : facts_) buckets_.sizes.push_back({fact.height_px, fact.width_px});
  buckets_.sizes = mpi::broadcast(buckets_.sizes, context_.world);
  for (std::size_t i = 0; i < members_.size(); ++i) {
    const auto& size = buckets_.sizes[i];
    buckets_.of[i] = data::bucket_of(buckets_.table, size.width_px, size.height_px);
  }
}

void WantedFeatures::want() {
  if (config_.has_t5()) {
    if (config_.text.null_text == nn::NullText::encoded) wanted_.push_back({});
    for (std::size_t i = 0; i < prompts_.size(); ++i) {
      wanted_.push_back({{}, FeatureKind::text, Whose::prompt, i});
    }
    for (std::size_t i = 0; i < members_.size(); ++i) {
      wanted_.push_back({{}, FeatureKind::text, Whose::member, i});
    }
  }
  for (std::size_t i = 0; config_.has_vae() && i < members_.size(); ++i) {
    wanted_.push_back({{}, FeatureKind::latent, Whose::member, i});
  }
  std::vector<RequestKey> keys;
  for (std::size_t i = 0; is_root() && i < wanted_.size(); ++i) keys.push_back(key_of(wanted_[i]));
  keys = mpi::broadcast(keys, context_.world);
  for (std::size_t i = 0; i < wanted_.size(); ++i) {
    wanted_[i].key = keys[i];
    first_.try_emplace(keys[i], i);
  }
}

std::optional<std::size_t> WantedFeatures::find(const RequestKey& key) const {
  const auto found = first_.find(key);
  return found == first_.end() ? std::nullopt : std::optional(found->second);
}

data::AspectBucket WantedFeatures::bucket(std::size_t member) const {
  if (buckets_.table.empty()) return {1, config_.side_px(), config_.side_px()};
  return buckets_.table[static_cast<std::size_t>(buckets_.of[member])];
}

std::string_view WantedFeatures::prompt(const Wanted& wanted) const {
  switch (wanted.whose) {
    case Whose::nobody:
      break;
    case Whose::prompt:
      return prompts_[wanted.index];
    case Whose::member:
      return members_[wanted.index].prompt;
  }
  return "";
}

RequestKey WantedFeatures::key_of(const Wanted& wanted) const {
  if (wanted.kind == FeatureKind::text) {
    return data::text_key(nn::read_text(prompt(wanted), config_.text.prompts),
                          {Sha256::parse(config_.text.sha256), name(config_.text.compute),
                           config_.network.max_tokens});
  }
  return data::latent_key(facts_[wanted.index].sha256, bucket(wanted.index),
                          {Sha256::parse(config_.vae.sha256), config_.vae.tile});
}

Task WantedFeatures::task(std::size_t index) const {
  const auto& wanted = wanted_[index];
  Task task{wanted.key, wanted.kind, static_cast<std::int32_t>(index), prompt(wanted)};
  if (wanted.kind == FeatureKind::latent) {
    task.member = wanted.index;
    task.height_px = bucket(task.member).height_px;
    task.width_px = bucket(task.member).width_px;
  }
  return task;
}

}  // namespace evd::train
