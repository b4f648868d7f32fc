#include "nn/norm_silu.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include <ATen/Parallel.h>
#include <ATen/TensorOperators.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/group_norm.h>
#include <ATen/ops/silu.h>

#include "nn/vectors.hpp"

namespace evd::nn {
namespace {

enum class Activation { none, silu };
constexpr std::size_t kPlacesAtOnce = 256;

/// One map of a batch, channels last.
struct Map {
  const float* x;
  std::size_t places;
  std::size_t channels;
};

/// For each part of kPlacesAtOnce places: sums of the channels, then sums of their squares.
std::vector<double> sums(const Map& map) {
  const std::size_t parts = (map.places + kPlacesAtOnce - 1) / kPlacesAtOnce;
  const std::size_t channels = map.channels;
  std::vector<double> all(parts * 2 * channels);
  at::parallel_for(0, std::int64_t(parts), 1, [&](std::int64_t from, std::int64_t to) {
    for (auto part = std::size_t(from); part < std::size_t(to); ++part) {
      double* sum = all.data() + part * 2 * channels;
      double* square = sum + channels;
      const std::size_t end = std::min(map.places, (part + 1) * kPlacesAtOnce);
      with_vectors([&]() EVD_INLINE_BODY {
        for (std::size_t place = part * kPlacesAtOnce; place < end; ++place) {
          const float* x = map.x + place * channels;
          for (std::size_t c = 0; c < channels; ++c) {
            const double value = x[c];
            sum[c] += value;
            square[c] += value * value;
          }
        }
      });
    }
  });
  for (std::size_t part = 1; part < parts; ++part) {
    for (std::size_t i = 0; i < 2 * channels; ++i) all[i] += all[part * 2 * channels + i];
  }
  all.resize(2 * channels);
  return all;
}

/// What each channel is multiplied with, then what is added.
std::vector<float> scale_and_shift(const Map& map, std::size_t groups, const float* weight,
                                   const float* bias, double epsilon) {
  const auto total = sums(map);
  const std::size_t channels = map.channels;
  const std::size_t width = channels / groups;
  std::vector<float> out(2 * channels);
  for (std::size_t group = 0; group < groups; ++group) {
    double sum = 0;
    double square = 0;
    for (std::size_t c = group * width; c < (group + 1) * width; ++c) {
      sum += total[c];
      square += total[channels + c];
    }
    const double count = double(width) * double(map.places);
    const double mean = sum / count;
    const double variance = std::max(0.0, square / count - mean * mean);
    const double rate = 1 / std::sqrt(variance + epsilon);
    for (std::size_t c = group * width; c < (group + 1) * width; ++c) {
      out[c] = float(rate * double{weight[c]});
      out[channels + c] = float(double{bias[c]} - mean * rate * double{weight[c]});
    }
  }
  return out;
}

template <Activation activation>
void apply(const Map& map, const std::vector<float>& factors, float* y) {
  const std::size_t channels = map.channels;
  const float* scale = factors.data();
  const float* shift = scale + channels;
  at::parallel_for(
      0, std::int64_t(map.places), kPlacesAtOnce, [&](std::int64_t from, std::int64_t to) {
        with_vectors([&]() EVD_INLINE_BODY {
          for (auto place = std::size_t(from); place < std::size_t(to); ++place) {
            const float* in = map.x + place * channels;
            float* out = y + place * channels;
            for (std::size_t c = 0; c < channels; ++c) {
              const float value = in[c] * scale[c] + shift[c];
              out[c] =
                  activation == Activation::none ? value : value / (1.0F + exponential(-value));
            }
          }
        });
      });
}

template <Activation activation>
at::Tensor run(const at::Tensor& x, int groups, const at::Tensor& weight, const at::Tensor& bias,
               double epsilon) {
  const bool ours = x.is_cpu() && x.scalar_type() == at::kFloat && x.dim() == 4 &&
                    x.is_contiguous(at::MemoryFormat::ChannelsLast);
  if (!ours) {
    at::Tensor y = at::group_norm(x, groups, weight, bias, epsilon);
    return activation == Activation::none ? y : at::silu_(y);
  }
  at::Tensor y = at::empty_like(x);
  const auto places = std::size_t(x.size(2) * x.size(3));
  const auto channels = std::size_t(x.size(1));
  for (std::size_t i = 0; i < std::size_t(x.size(0)); ++i) {
    const std::size_t first = i * places * channels;
    const Map map{x.const_data_ptr<float>() + first, places, channels};
    const auto factors = scale_and_shift(map, std::size_t(groups), weight.const_data_ptr<float>(),
                                         bias.const_data_ptr<float>(), epsilon);
    apply<activation>(map, factors, y.mutable_data_ptr<float>() + first);
  }
  return y;
}

}  // namespace

at::Tensor norm_silu(const at::Tensor& x, int groups, const at::Tensor& weight,
                     const at::Tensor& bias, double epsilon) {
  return run<Activation::silu>(x, groups, weight, bias, epsilon);
}

at::Tensor group_norm(const at::Tensor& x, int groups, const at::Tensor& weight,
                      const at::Tensor& bias, double epsilon) {
  return run<Activation::none>(x, groups, weight, bias, epsilon);
}

}  // namespace evd::nn
