#include "nn/latent_codec.hpp"

#include <ATen/ops/from_blob.h>
#include <ATen/ops/isfinite.h>
#include <ATen/ops/stack.h>
#include <c10/core/InferenceMode.h>

#include "core/error.hpp"
#include "nn/device_tensors.hpp"
#include "nn/vae.hpp"

namespace evd::nn {
namespace {

VaeOptions options_of(const std::filesystem::path& folder, double scale) {
  VaeOptions options = read_vae_options(folder);
  options.scaling_factor = scale;
  return options;
}

// Only read: from_blob has no const form.
at::Tensor view(std::span<const float> values, at::IntArrayRef shape) {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat);
}

}  // namespace

struct LatentCodec::State {
  State(const std::filesystem::path& folder, double scale, int the_tile, const Engine& engine)
      : weights(WeightSet::open(folder)),
        vae(options_of(folder, scale), weights, options_of(engine).dtype(at::kFloat)),
        tile(the_tile) {}

  WeightSet weights;
  Vae vae;
  int tile;
};

LatentCodec::LatentCodec(const std::filesystem::path& folder, double scale, int wanted_stride,
                         int tile, const Engine& engine)
    : state_(std::make_unique<State>(folder, scale, tile, engine)) {
  if (stride() == wanted_stride) return;
  throw ConfigurationError("vae.stride = " + std::to_string(wanted_stride) + ", but a latent of " +
                           folder.string() + " is " + std::to_string(stride()) + " px");
}
LatentCodec::~LatentCodec() = default;

int LatentCodec::channels() const { return state_->vae.options().latent_channels; }
int LatentCodec::stride() const { return state_->vae.options().stride(); }

PackedLatents LatentCodec::encode(std::span<const float> picture, int height, int width) const {
  const c10::InferenceMode no_gradients;
  const auto [mean, std] = state_->vae.encode(view(picture, {1, 3, height, width}), state_->tile);
  const at::Tensor halves = at::stack({mean[0], std[0]}).to(at::kHalf).cpu().contiguous();
  if (!at::isfinite(halves).all().item<bool>()) {
    throw DataError(state_->weights.where() +
                    ": latents of a picture are not finite, or beyond "
                    "float16 (are the weights those of the VAE, and undamaged?)");
  }
  PackedLatents latents{static_cast<int>(halves.size(1)),
                        static_cast<int>(halves.size(2)),
                        static_cast<int>(halves.size(3)),
                        {}};
  const auto* bits = static_cast<const std::uint16_t*>(halves.const_data_ptr());
  latents.values.assign(bits, bits + halves.numel());
  return latents;
}

std::vector<float> LatentCodec::decode(std::span<const float> latents, int height,
                                       int width) const {
  const c10::InferenceMode no_gradients;
  const at::Tensor picture =
      state_->vae.decode_scaled(view(latents, {1, channels(), height, width}), state_->tile)
          .cpu()
          .contiguous();
  const float* values = picture.const_data_ptr<float>();
  return {values, values + picture.numel()};
}

}  // namespace evd::nn
