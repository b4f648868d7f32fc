#include "nn/generator.hpp"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <exception>
#include <mutex>
#include <thread>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/from_blob.h>
#include <c10/core/InferenceMode.h>

#include "core/random.hpp"
#include "nn/model_file.hpp"
#include "nn/network.hpp"
#include "nn/sampler.hpp"
#include "nn/text_batch.hpp"

namespace evd::nn {
namespace {

at::Tensor to_tensor(const std::vector<float>& values) {
  at::Tensor flat = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), flat.mutable_data_ptr<float>());
  return flat;
}

std::vector<std::uint8_t> to_bytes(const at::Tensor& picture) {
  // (C, H, W) in [-1, 1] -> (H, W, C)
  const at::Tensor pixels = picture.permute({1, 2, 0}).contiguous();
  const float* values = pixels.const_data_ptr<float>();
  std::vector<std::uint8_t> bytes(static_cast<std::size_t>(pixels.numel()));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const float unit = std::clamp(values[i] * 0.5F + 0.5F, 0.0F, 1.0F);
    bytes[i] = static_cast<std::uint8_t>(std::lround(unit * 255.0F));
  }
  return bytes;
}

}  // namespace

struct Generator::State {
  State(const NetworkOptions& network_options, const DiffusionOptions& diffusion,
        const std::function<Weights(const Layout&)>& load)
      : layout(network_options, diffusion),
        weights(load(layout)),
        digest(digest_of(layout, weights)),
        network(layout, to_tensor(weights.flat)),
        schedule(diffusion) {}

  [[nodiscard]] TextKeys keys(std::span<const RenderRequest> requests, double guidance) const;
  /// Noise of each picture for a draw: 0 = where it starts, i + 1 = what step i adds.
  [[nodiscard]] at::Tensor noise(std::span<const RenderRequest> requests, std::uint64_t seed,
                                 std::uint64_t draw) const;
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> chunk(
      std::span<const RenderRequest> requests, std::span<const SamplingStep> plan, double guidance,
      std::uint64_t seed) const;

  Layout layout;
  Weights weights;
  Sha256 digest;
  Network network;
  Schedule schedule;
};

TextKeys Generator::State::keys(std::span<const RenderRequest> requests, double guidance) const {
  const auto& n = layout.network();
  TextEncoder encoder(n.caption_width, n.max_tokens);
  std::vector<TextStates> texts;
  std::vector<Caption> captions;
  // Dropped captions first: see guided().
  for (const auto caption : {Caption::dropped, Caption::kept}) {
    if (caption == Caption::dropped && guidance == 1.0) continue;
    for (const auto& request : requests) texts.push_back(encoder.encode(request.prompt));
    captions.insert(captions.end(), requests.size(), caption);
  }
  // Each text by itself: products of another shape round differently, and a picture must not depend
  // on the texts drawn beside it.
  std::vector<TextKeys> each;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    each.push_back(network.keys_of(text_batch(std::span(texts).subspan(i, 1),
                                              std::span(captions).subspan(i, 1), weights.null_text,
                                              n.caption_width, at::kFloat)));
  }
  return joined(each);
}

at::Tensor Generator::State::noise(std::span<const RenderRequest> requests, std::uint64_t seed,
                                   std::uint64_t draw) const {
  const auto& n = layout.network();
  const auto count = static_cast<std::int64_t>(requests.size());
  at::Tensor z = at::empty({count, n.channels, n.input_size, n.input_size}, at::kFloat);
  const auto values = static_cast<std::size_t>(n.channels * n.input_size * n.input_size);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Random(seed, Purpose::render_noise, requests[i].noise_id, draw)
        .fill_normal({z.mutable_data_ptr<float>() + i * values, values});
  }
  return z;
}

std::vector<std::vector<std::uint8_t>> Generator::State::chunk(
    std::span<const RenderRequest> requests, std::span<const SamplingStep> plan, double guidance,
    std::uint64_t seed) const {
  const c10::InferenceMode no_gradients;
  const at::Tensor pictures = sample(guided(network, keys(requests, guidance), guidance), plan,
                                     layout.diffusion().prediction, noise(requests, seed, 0),
                                     [&](std::size_t i) { return noise(requests, seed, i + 1); });
  std::vector<std::vector<std::uint8_t>> bytes;
  for (const auto& picture : pictures.unbind(0)) bytes.push_back(to_bytes(picture));
  return bytes;
}

Generator::Generator(const std::filesystem::path& weights, const NetworkOptions& network,
                     const DiffusionOptions& diffusion)
    : state_(std::make_unique<State>(
          network, diffusion, [&](const Layout& layout) { return read_model(weights, layout); })) {}

Generator::Generator(std::uint64_t campaign_seed, const NetworkOptions& network,
                     const DiffusionOptions& diffusion)
    : state_(std::make_unique<State>(network, diffusion, [&](const Layout& layout) {
        return start_weights(layout, campaign_seed);
      })) {}

Generator::~Generator() = default;

const Sha256& Generator::checkpoint() const { return state_->digest; }

std::vector<std::vector<std::uint8_t>> Generator::render(std::span<const RenderRequest> requests,
                                                         const SamplerOptions& sampler,
                                                         std::uint64_t seed) const {
  const auto plan = sampling_plan(state_->schedule, sampler.sampler, sampler.steps);
  const auto size = static_cast<std::size_t>(sampler.batch);
  const std::size_t chunks = (requests.size() + size - 1) / size;
  std::vector<std::vector<std::uint8_t>> pictures(requests.size());
  std::atomic<std::size_t> next = 0;
  std::mutex mutex;
  std::exception_ptr error;

  // Threads take whole chunks, each of full size (the last is filled up) and computed by one
  // thread: matrix products of another shape or thread count round differently.
  const auto work = [&] {
    try {
      at::set_num_threads(1);
      for (std::size_t c = next++; c < chunks; c = next++) {
        std::vector<RenderRequest> wanted;
        for (std::size_t i = 0; i < size; ++i) {
          wanted.push_back(requests[std::min(c * size + i, requests.size() - 1)]);
        }
        auto drawn = state_->chunk(wanted, plan, sampler.guidance, seed);
        for (std::size_t i = 0; i < size && c * size + i < requests.size(); ++i) {
          pictures[c * size + i] = std::move(drawn[i]);
        }
      }
    } catch (...) {
      const std::lock_guard lock(mutex);
      error = std::current_exception();
      next = chunks;
    }
  };
  const int threads = at::get_num_threads();
  {
    std::vector<std::jthread> workers;
    const auto count = std::min(static_cast<std::size_t>(threads), chunks);
    for (std::size_t i = 0; i < count; ++i) workers.emplace_back(work);
  }
  at::set_num_threads(threads);
  if (error) std::rethrow_exception(error);
  return pictures;
}

}  // namespace evd::nn
