#include "train/extraction.hpp"

#include <algorithm>
#include <functional>

#include "core/text.hpp"
#include "nn/encoders.hpp"
#include "nn/t5_texts.hpp"
#include "nn/threads.hpp"
#include "run/encoder_files.hpp"

namespace evd::train {
namespace {

using shard::FeatureKind;

shard::Blob blob_of(std::span<const std::uint16_t> values) {
  const auto bytes = std::as_bytes(values);
  return {bytes.begin(), bytes.end()};
}

shard::Feature feature_of(const Task& task, shard::Blob bytes) {
  shard::Feature feature;
  feature.key = task.key;
  feature.kind = task.kind;
  feature.bytes = std::move(bytes);
  feature.sha256 = sha256(Bytes(feature.bytes));
  return feature;
}

shard::Feature text_feature(const nn::T5Texts& texts, const Task& task) {
  const auto text = texts.encode(task.prompt);
  auto feature = feature_of(task, blob_of(text.states));
  feature.tokens = text.tokens;
  feature.channels = texts.width();
  return feature;
}

// (H, W, 3) bytes -> (3, H, W) in [-1, 1]
std::vector<float> planes_of(const image::Rgb& picture) {
  const std::size_t plane = picture.pixels.size() / 3;
  std::vector<float> values(picture.pixels.size());
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i % 3 * plane + i / 3] = static_cast<float>(picture.pixels[i]) / 127.5F - 1.0F;
  return values;
}

shard::Feature latent_feature(const nn::LatentCodec& codec, const data::Targets& targets,
                              const Task& task) {
  const auto picture = targets.load(task.member, task.width_px, task.height_px);
  const auto latents = codec.encode(planes_of(picture), task.height_px, task.width_px);
  auto feature = feature_of(task, blob_of(latents.values));
  feature.channels = latents.channels;
  feature.height = latents.height;
  feature.width = latents.width;
  return feature;
}

/// Rows of one kind, published whenever they fill a file.
class Shards {
 public:
  Shards(const run::Context& context, const char* stem, int first_number, int number_step)
      : context_(context), stem_(stem), number_(first_number), step_(number_step) {}

  void add(shard::Feature row, std::int32_t number) {
    bytes_ += row.bytes.size();
    rows_.push_back(std::move(row));
    numbers_.push_back(number);
    if (static_cast<double>(bytes_) >= context_.config.features.shard_mib * 1048576) publish();
  }
  void publish() {
    if (rows_.empty()) return;
    const auto path = context_.directory / format("%s-%05d.h5", stem_, number_);
    files_.push_back({shard::write_table<shard::Feature>(path, context_.header(), rows_),
                      std::exchange(numbers_, {})});
    number_ += step_;
    bytes_ = 0;
    rows_.clear();
  }
  [[nodiscard]] std::vector<ExtractedFile> take() {
    publish();
    return std::move(files_);
  }

 private:
  const run::Context& context_;
  const char* stem_;
  int number_;
  int step_;
  std::size_t bytes_ = 0;
  std::vector<shard::Feature> rows_;
  std::vector<std::int32_t> numbers_;
  std::vector<ExtractedFile> files_;
};

using Encode = std::function<shard::Feature(const Task&)>;

// Files are written by this thread alone, between pieces of work: HDF5 is not for several.
void encode_all(run::Context& context, std::span<const Task> tasks, int threads, int world_size,
                const Encode& encode, Shards& shards, const Activity& activity) {
  const std::size_t piece = 4 * static_cast<std::size_t>(threads);
  for (std::size_t begin = 0; begin < tasks.size() && !context.stop; begin += piece) {
    const auto now = tasks.subspan(begin, std::min(piece, tasks.size() - begin));
    activity.enter(Operation::extraction, static_cast<std::int64_t>(begin));
    std::vector<shard::Feature> rows(now.size());
    nn::each_alone(now.size(), threads, [&](std::size_t i) { rows[i] = encode(now[i]); });
    for (std::size_t i = 0; i < now.size(); ++i) shards.add(std::move(rows[i]), now[i].number);
    // The other ranks are as far: their shares are alike.
    context.progress.update(static_cast<std::int64_t>(begin + now.size()) * world_size);
  }
}

}  // namespace

std::vector<ExtractedFile> extract(run::Context& context, std::span<const Task> tasks,
                                   const data::Targets& targets, int threads, int first_number,
                                   int number_step, const Activity& activity,
                                   const nn::Engine& engine) {
  const auto& config = context.config;
  const auto middle = std::find_if(tasks.begin(), tasks.end(), [](const Task& task) {
    return task.kind == FeatureKind::latent;
  });
  const auto texts = tasks.first(static_cast<std::size_t>(middle - tasks.begin()));
  const auto latents = tasks.subspan(texts.size());
  std::vector<ExtractedFile> files;
  const auto keep = [&](std::vector<ExtractedFile> more) {
    files.insert(files.end(), std::make_move_iterator(more.begin()),
                 std::make_move_iterator(more.end()));
  };
  if (!texts.empty()) {
    const auto [folder, tokenizer] = run::text_paths(context.campaign, config);
    const nn::T5Texts encoder(folder, tokenizer, config.network.max_tokens, config.text.compute,
                              config.text.prompts, engine);
    nn::check_texts(encoder, config.network);
    Shards shards(context, "texts", first_number, number_step);
    encode_all(
        context, texts, threads, number_step,
        [&](const Task& task) { return text_feature(encoder, task); }, shards, activity);
    keep(shards.take());
  }
  if (!latents.empty()) {
    const nn::LatentCodec codec(run::vae_path(context.campaign, config), config.vae.scale,
                                config.vae.stride, config.vae.tile, engine);
    nn::check_latents(codec, config.network);
    Shards shards(context, "latents", first_number, number_step);
    encode_all(
        context, latents, threads, number_step,
        [&](const Task& task) { return latent_feature(codec, targets, task); }, shards, activity);
    keep(shards.take());
  }
  return files;
}

}  // namespace evd::train
