#include "pool.hpp"

#include <algorithm>
#include <iostream>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "intake.hpp"

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

std::vector<shard::Prompt> read_heldout(const std::filesystem::path& path,
                                        const data::PromptColumns& columns,
                                        const run::SetOptions& options) {
  std::vector<shard::Prompt> prompts;
  Intake intake(options);
  const auto source = data::open_prompts(path, columns);
  while (auto raw = source->next())
    if (auto prompt = intake.take(std::move(*raw))) prompts.push_back(std::move(*prompt));
  std::cout << intake.summary("held-out prompts of " + path.string());
  if (prompts.empty()) throw DataError(path.string() + ": holds no prompt that could be taken");
  return prompts;
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
