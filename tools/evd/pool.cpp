#include "pool.hpp"

#include <algorithm>
#include <utility>

#include "core/text.hpp"

namespace evd::hands {

void PoolWriter::add(shard::Prompt prompt) {
  rows_.push_back(std::move(prompt));
  if (rows_.size() == kRowsPerShard) flush();
}

const std::vector<shard::FileEntry>& PoolWriter::finish() {
  if (!rows_.empty() || files_.empty()) flush();
  return files_;
}

void PoolWriter::flush() {
  const auto name = format("pool-%05zu.h5", files_.size());
  files_.push_back(
      shard::write_table<shard::Prompt>(campaign_.prompts() / name, campaign_.header(), rows_));
  rows_.clear();
}

std::vector<SampleId> draw(const IdSet& ids, std::size_t count, std::uint64_t seed, Purpose purpose,
                           const std::unordered_set<SampleId>& without) {
  std::vector<std::pair<std::uint64_t, SampleId>> lots;
  lots.reserve(ids.size());
  ids.each([&](const SampleId& id) {
    if (!without.contains(id)) lots.emplace_back(Random(seed, purpose, id.low64()).next_u64(), id);
  });
  count = std::min(count, lots.size());
  std::nth_element(lots.begin(), lots.begin() + static_cast<std::ptrdiff_t>(count), lots.end());
  std::vector<SampleId> drawn;
  drawn.reserve(count);
  for (std::size_t i = 0; i < count; ++i) drawn.push_back(lots[i].second);
  std::sort(drawn.begin(), drawn.end());
  return drawn;
}

shard::Sample sample_of(const shard::Prompt& prompt, shard::Split split,
                        const run::SetOptions& options) {
  shard::Sample sample;
  sample.id = sample.root = prompt.id;
  sample.split = split;
  sample.status = split == shard::Split::heldout ? shard::Status::heldout : shard::Status::waiting;
  sample.prompt = sample.prompt_sent = prompt.text;
  sample.operation = shard::Operation::seed;
  sample.category_human = prompt.category_human;
  sample.category_text = prompt.category_text;
  sample.category_multi = prompt.category_multi;
  sample.category_source = prompt.category_source;
  sample.width = options.width;
  sample.height = options.height;
  return sample;
}

}  // namespace evd::hands
