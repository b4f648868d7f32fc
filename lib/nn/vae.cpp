#include "nn/vae.hpp"

#include <functional>
#include <string>

#include <ATen/TensorOperators.h>
#include <ATen/core/grad_mode.h>
#include <ATen/ops/cat.h>

#include "core/error.hpp"
#include "nn/vae_names.hpp"
#include "nn/vae_tiles.hpp"

namespace evd::nn {
namespace {

constexpr double kLeastLogVariance = -30;
constexpr double kMostLogVariance = 20;

/// Under diffusers' names, with every tensor that the network has and no other.
WeightSet checked(const VaeOptions& options, const WeightSet& weights) {
  WeightSet set = with_diffusers_vae_names(weights);
  check_tensors(set, vae_tensors(options));
  return set;
}

template <class Resample>
VaeLevel<Resample> read_level(const VaeWeights& weights, const std::string& name, int resnets,
                              const std::string& resample) {
  VaeLevel<Resample> level;
  for (int i = 0; i < resnets; ++i) {
    level.resnets.emplace_back(weights, name + ".resnets." + std::to_string(i));
  }
  if (weights.has(name + resample + ".weight")) level.resample.emplace(weights, name + resample);
  return level;
}

void check_input(const char* what, const at::Tensor& x, std::int64_t channels, int multiple) {
  const bool good = x.dim() == 4 && x.size(0) > 0 && x.size(1) == channels && x.size(2) > 0 &&
                    x.size(3) > 0 && x.size(2) % multiple == 0 && x.size(3) % multiple == 0;
  if (good) return;
  const std::string side = multiple > 1 ? std::to_string(multiple) + " x " : "";
  throw DataError(std::string(what) + " of shape " + shape_text(x.sizes()) + " instead of [B," +
                  std::to_string(channels) + "," + side + "h," + side + "w]" +
                  (multiple > 1 ? " (sides are multiples of " + std::to_string(multiple) +
                                      ": cut or resize the pictures)"
                                : ""));
}

at::Tensor one_by_one(const at::Tensor& x,
                      const std::function<at::Tensor(const at::Tensor&)>& work) {
  std::vector<at::Tensor> out;
  for (std::int64_t i = 0; i < x.size(0); ++i) out.push_back(work(x.narrow(0, i, 1)));
  return out.size() == 1 ? out.front() : at::cat(out);
}

bool exceeds(const at::Tensor& x, std::int64_t side) {
  return side > 0 && (x.size(2) > side || x.size(3) > side);
}

}  // namespace

Vae::Encoder::Encoder(const VaeWeights& weights, const VaeOptions& options)
    : in(weights, "encoder.conv_in"),
      middle(weights, "encoder.mid_block"),
      norm(weights, "encoder.conv_norm_out"),
      out(weights, "encoder.conv_out") {
  for (std::size_t i = 0; i < options.widths.size(); ++i) {
    levels.push_back(read_level<VaeDownsampler>(weights, "encoder.down_blocks." + std::to_string(i),
                                                options.layers, ".downsamplers.0.conv"));
  }
  if (options.quant_conv) quant.emplace(weights, "quant_conv", 0);
}

at::Tensor Vae::Encoder::operator()(const at::Tensor& picture) const {
  at::Tensor x = in(picture);
  for (const auto& level : levels) x = level(std::move(x));
  x = out(norm.with_silu(middle(std::move(x))));
  return quant ? (*quant)(x) : x;
}

Vae::Decoder::Decoder(const VaeWeights& weights, const VaeOptions& options)
    : in(weights, "decoder.conv_in"),
      middle(weights, "decoder.mid_block"),
      norm(weights, "decoder.conv_norm_out"),
      out(weights, "decoder.conv_out") {
  if (options.post_quant_conv) post_quant.emplace(weights, "post_quant_conv", 0);
  for (std::size_t i = 0; i < options.widths.size(); ++i) {
    levels.push_back(read_level<VaeUpsampler>(weights, "decoder.up_blocks." + std::to_string(i),
                                              options.layers + 1, ".upsamplers.0.conv"));
  }
}

at::Tensor Vae::Decoder::operator()(const at::Tensor& latents) const {
  at::Tensor x = middle(in(post_quant ? (*post_quant)(latents) : latents));
  for (const auto& level : levels) x = level(std::move(x));
  return out(norm.with_silu(x));
}

Vae::Vae(const VaeOptions& options, const WeightSet& weights, const at::TensorOptions& place)
    : Vae(options, VaeWeights{checked(options, weights), at::typeMetaToScalarType(place.dtype()),
                              place.device(), options.groups}) {}

Vae::Vae(const VaeOptions& options, const VaeWeights& weights)
    : options_(options),
      place_(at::TensorOptions(weights.device).dtype(weights.dtype)),
      format_(weights.format()),
      encoder_(weights, options),
      decoder_(weights, options) {}

int Vae::checked_tile(int tile) const {
  const int unit = 4 * options_.stride();
  if (tile < 0 || tile % unit != 0) {
    throw ConfigurationError("a tile of " + std::to_string(tile) +
                             " px (tiles overlap by a quarter and hold whole latents: take a "
                             "multiple of " +
                             std::to_string(unit) + ", or 0 for whole pictures)");
  }
  return tile;
}

LatentDistribution Vae::encode(const at::Tensor& pictures, int tile) const {
  const at::NoGradGuard no_gradients;
  check_input("pictures", pictures, 3, options_.stride());
  const std::int64_t side = checked_tile(tile);
  const std::int64_t small = side / options_.stride();
  const Tiles tiles{side, side - side / 4, small / 4, small - small / 4};
  const auto moments = one_by_one(pictures, [&](const at::Tensor& one) {
    const auto work = [&](const at::Tensor& part) {
      return encoder_(part.to(place_).contiguous(format_));
    };
    return exceeds(one, side) ? in_tiles(one, tiles, work) : work(one);
  });
  const auto halves = moments.contiguous().chunk(2, 1);
  return {halves[0].contiguous(),
          (halves[1].clamp(kLeastLogVariance, kMostLogVariance) * 0.5).exp().contiguous()};
}

at::Tensor Vae::decode(const at::Tensor& latents, int tile) const {
  const at::NoGradGuard no_gradients;
  check_input("latents", latents, options_.latent_channels, 1);
  const std::int64_t large = checked_tile(tile);
  const std::int64_t side = large / options_.stride();
  const Tiles tiles{side, side - side / 4, large / 4, large - large / 4};
  return one_by_one(latents,
                    [&](const at::Tensor& one) {
                      const auto work = [&](const at::Tensor& part) {
                        return decoder_(part.to(place_).contiguous(format_));
                      };
                      return exceeds(one, side) ? in_tiles(one, tiles, work) : work(one);
                    })
      .contiguous();
}

at::Tensor Vae::decode_scaled(const at::Tensor& latents, int tile) const {
  return decode(latents.to(place_) / options_.scaling_factor, tile);
}

}  // namespace evd::nn
