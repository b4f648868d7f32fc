#include "nn/generator.hpp"

#include <algorithm>
#include <cmath>
#include <map>

#include <ATen/Parallel.h>
#include <ATen/ops/empty.h>
#include <c10/core/InferenceMode.h>

#include "core/error.hpp"
#include "core/random.hpp"
#include "nn/device_tensors.hpp"
#include "nn/model_file.hpp"
#include "nn/network.hpp"
#include "nn/sampler.hpp"
#include "nn/text_batch.hpp"
#include "nn/threads.hpp"

namespace evd::nn {
namespace {

at::Tensor to_tensor(const std::vector<float>& values) {
  at::Tensor flat = at::empty({static_cast<std::int64_t>(values.size())}, at::kFloat);
  std::copy(values.begin(), values.end(), flat.mutable_data_ptr<float>());
  return flat;
}

/// (3, H, W) in [-1, 1] -> (H, W, 3)
std::vector<std::uint8_t> to_bytes(std::span<const float> picture) {
  const std::size_t plane = picture.size() / 3;
  std::vector<std::uint8_t> bytes(picture.size());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const float value = picture[i % 3 * plane + i / 3];
    const float unit = std::clamp(value * 0.5F + 0.5F, 0.0F, 1.0F);
    bytes[i] = static_cast<std::uint8_t>(std::lround(unit * 255.0F));
  }
  return bytes;
}

/// Sides of what is denoised.
struct Sides {
  std::int64_t height = 0;
  std::int64_t width = 0;
};

}  // namespace

struct Generator::State {
  State(Encoders the_encoders, const Layout& the_layout, const Weights& weights,
        const Engine& engine)
      : State(std::move(the_encoders), the_layout, to_tensor(weights.flat).to(options_of(engine)),
              weights.null_text, digest_of(the_layout, weights)) {}
  State(Encoders the_encoders, Layout the_layout, at::Tensor flat, std::vector<float> null_states,
        const Sha256& the_digest)
      : encoders(std::move(the_encoders)),
        layout(std::move(the_layout)),
        frozen_null_text(std::move(null_states)),
        digest(the_digest),
        place(flat.options().dtype(at::kFloat)),
        network(layout, std::move(flat)),
        schedule(layout.diffusion()) {
    check(encoders, layout.network());
    if (encoders.texts && encoders.null_text == NullText::encoded)
      null_text = encoders.texts->states("");
  }

  [[nodiscard]] Sides sides(const RenderRequest& request) const;
  [[nodiscard]] PictureShapes shapes(std::span<const RenderRequest> requests) const;
  [[nodiscard]] std::vector<std::uint8_t> picture_of(const at::Tensor& drawn) const;
  [[nodiscard]] TextKeys keys(std::span<const RenderRequest> requests, double guidance) const;
  /// Noise of each picture for a draw: 0 = where it starts, i + 1 = what step i adds.
  [[nodiscard]] at::Tensor noise(std::span<const RenderRequest> requests, std::uint64_t seed,
                                 std::uint64_t draw) const;
  [[nodiscard]] std::vector<std::vector<std::uint8_t>> chunk(
      std::span<const RenderRequest> requests, std::span<const SamplingStep> plan, double guidance,
      std::uint64_t seed) const;

  Encoders encoders;
  TextStates null_text;  // of T5, when it stands for captions that are left out
  Layout layout;
  std::vector<float> frozen_null_text;  // of the weights, where it does not
  Sha256 digest;
  at::TensorOptions place;  // of what goes in and comes out
  Network network;
  Schedule schedule;
};

Sides Generator::State::sides(const RenderRequest& request) const {
  const auto& n = layout.network();
  if (request.height_px == 0) return {n.input_size, n.input_size};
  const int unit = n.patch * (encoders.latents ? encoders.latents->stride() : 1);
  if (request.height_px < 1 || request.width_px < 1 || request.height_px % unit != 0 ||
      request.width_px % unit != 0) {
    throw DataError("a picture of " + std::to_string(request.width_px) + " x " +
                    std::to_string(request.height_px) +
                    " px cannot be drawn (sides are multiples " + "of " + std::to_string(unit) +
                    " px)");
  }
  return {request.height_px / unit * n.patch, request.width_px / unit * n.patch};
}

PictureShapes Generator::State::shapes(std::span<const RenderRequest> requests) const {
  if (!layout.network().multi_aspect) return {};
  const int stride = encoders.latents ? encoders.latents->stride() : 1;
  std::vector<float> sizes;
  std::vector<float> aspects;
  for (const auto& request : requests) {
    const Sides latents = sides(request);
    sizes.push_back(static_cast<float>(latents.height * stride));
    sizes.push_back(static_cast<float>(latents.width * stride));
    aspects.push_back(static_cast<float>(request.aspect));
  }
  return {to_tensor(sizes).view({-1, 2}).to(place), to_tensor(aspects).to(place)};
}

std::vector<std::uint8_t> Generator::State::picture_of(const at::Tensor& drawn) const {
  const at::Tensor dense = drawn.cpu().contiguous();
  const std::span<const float> values(dense.const_data_ptr<float>(),
                                      static_cast<std::size_t>(dense.numel()));
  if (!encoders.latents) return to_bytes(values);
  return to_bytes(encoders.latents->decode(values, static_cast<int>(dense.size(1)),
                                           static_cast<int>(dense.size(2))));
}

TextKeys Generator::State::keys(std::span<const RenderRequest> requests, double guidance) const {
  const auto& n = layout.network();
  TextEncoder encoder(n.caption_width, n.max_tokens);
  std::vector<TextStates> texts;
  std::vector<Caption> captions;
  // Dropped captions first: see guided().
  for (const auto caption : {Caption::dropped, Caption::kept}) {
    if (caption == Caption::dropped && guidance == 1.0) continue;
    // T5's empty text is a text like others, with its own token.
    const bool is_encoded = caption == Caption::dropped && null_text.tokens > 0;
    for (const auto& request : requests) {
      if (is_encoded) {
        texts.push_back(null_text);
      } else {
        texts.push_back(encoders.texts ? encoders.texts->states(request.prompt)
                                       : encoder.encode(request.prompt));
      }
    }
    captions.insert(captions.end(), requests.size(), is_encoded ? Caption::kept : caption);
  }
  // Each text by itself: products of another shape round differently, and a picture must not depend
  // on the texts drawn beside it.
  std::vector<TextKeys> each;
  for (std::size_t i = 0; i < texts.size(); ++i) {
    each.push_back(network.keys_of(text_batch(std::span(texts).subspan(i, 1),
                                              std::span(captions).subspan(i, 1), frozen_null_text,
                                              n.caption_width, place)));
  }
  return joined(each);
}

at::Tensor Generator::State::noise(std::span<const RenderRequest> requests, std::uint64_t seed,
                                   std::uint64_t draw) const {
  const auto& n = layout.network();
  const auto count = static_cast<std::int64_t>(requests.size());
  const auto [height, width] = sides(requests.front());  // all of a chunk are of one size
  at::Tensor z = at::empty({count, n.channels, height, width}, at::kFloat);
  const auto values = static_cast<std::size_t>(n.channels * height * width);
  for (std::size_t i = 0; i < requests.size(); ++i) {
    Random(seed, Purpose::render_noise, requests[i].noise_id, draw)
        .fill_normal({z.mutable_data_ptr<float>() + i * values, values});
  }
  return z.to(place);
}

std::vector<std::vector<std::uint8_t>> Generator::State::chunk(
    std::span<const RenderRequest> requests, std::span<const SamplingStep> plan, double guidance,
    std::uint64_t seed) const {
  const c10::InferenceMode no_gradients;
  const auto predictor = guided(network, keys(requests, guidance), guidance, shapes(requests));
  const at::Tensor pictures =
      sample(predictor, plan, layout.diffusion().prediction, noise(requests, seed, 0),
             [&](std::size_t i) { return noise(requests, seed, i + 1); });
  std::vector<std::vector<std::uint8_t>> bytes;
  for (const auto& picture : pictures.unbind(0)) bytes.push_back(picture_of(picture));
  return bytes;
}

Generator::Generator(const std::filesystem::path& weights, const NetworkOptions& network,
                     const DiffusionOptions& diffusion, Encoders encoders, const Engine& engine) {
  const Layout layout(network, diffusion);
  state_ =
      std::make_unique<State>(std::move(encoders), layout, read_model(weights, layout), engine);
}

Generator::Generator(std::uint64_t campaign_seed, const NetworkOptions& network,
                     const DiffusionOptions& diffusion, Encoders encoders, const Engine& engine) {
  const Layout layout(network, diffusion);
  state_ = std::make_unique<State>(std::move(encoders), layout,
                                   start_weights(layout, campaign_seed), engine);
}

Generator::Generator(const at::Tensor& weights, std::vector<float> null_text,
                     const NetworkOptions& network, const DiffusionOptions& diffusion,
                     Encoders encoders)
    : state_(std::make_unique<State>(std::move(encoders), Layout(network, diffusion), weights,
                                     std::move(null_text), Sha256{})) {}

Generator::~Generator() = default;

const Sha256& Generator::checkpoint() const { return state_->digest; }

std::vector<std::vector<std::uint8_t>> Generator::render(std::span<const RenderRequest> requests,
                                                         const SamplerOptions& sampler,
                                                         std::uint64_t seed) const {
  const auto plan = sampling_plan(state_->schedule, sampler.sampler, sampler.steps);
  const auto size = static_cast<std::size_t>(sampler.batch);
  std::map<std::pair<int, int>, std::vector<std::size_t>> by_size;
  for (std::size_t i = 0; i < requests.size(); ++i) {
    static_cast<void>(state_->sides(requests[i]));
    by_size[{requests[i].height_px, requests[i].width_px}].push_back(i);
  }
  std::vector<std::span<const std::size_t>> chunks;  // places of requests of one size
  for (const auto& [sides, places] : by_size) {
    for (std::size_t begin = 0; begin < places.size(); begin += size) {
      chunks.push_back(std::span(places).subspan(begin, std::min(size, places.size() - begin)));
    }
  }
  std::vector<std::vector<std::uint8_t>> pictures(requests.size());

  // Threads take whole chunks, each of full size (the last is filled up) and computed by one
  // thread: matrix products of another shape or thread count round differently. A card takes them
  // one after another.
  const int threads = state_->place.device().is_cpu() ? at::get_num_threads() : 1;
  each_alone(chunks.size(), threads, [&](std::size_t c) {
    const auto places = chunks[c];
    std::vector<RenderRequest> wanted;
    for (std::size_t i = 0; i < size; ++i) {
      wanted.push_back(requests[places[std::min(i, places.size() - 1)]]);
    }
    auto drawn = state_->chunk(wanted, plan, sampler.guidance, seed);
    for (std::size_t i = 0; i < places.size(); ++i) pictures[places[i]] = std::move(drawn[i]);
  });
  return pictures;
}

}  // namespace evd::nn
