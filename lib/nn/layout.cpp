#include "nn/layout.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/random.hpp"

namespace evd::nn {
namespace {

constexpr std::int64_t kTimestepWidth = 256;

double xavier(std::int64_t fan_out, std::int64_t fan_in) {
  return std::sqrt(6.0 / static_cast<double>(fan_in + fan_out));
}

void require(bool holds, const std::string& problem) {
  if (!holds) throw ConfigurationError("network: " + problem);
}

void check(const NetworkOptions& n) {
  require(n.input_size % n.patch == 0, "input_size is not a multiple of patch");
  require(n.width % n.head_dim == 0, "width is not a multiple of head_dim");
  require(n.width % 4 == 0, "width is not a multiple of 4 (sine-cosine positions)");
  require(!n.multi_aspect || n.width % 3 == 0,
          "width is not a multiple of 3 (multi_aspect: height, width and aspect share it)");
  const double hidden = n.mlp_ratio * n.width;
  require(hidden >= 1 && hidden == std::floor(hidden), "mlp_ratio * width is not a whole number");
}

float draw(Random& random, Start start, double scale) {
  switch (start) {
    case Start::uniform:
      return static_cast<float>((2.0 * random.uniform() - 1.0) * scale);
    case Start::normal:
      return static_cast<float>(random.normal() * scale);
    case Start::zero:
      break;
  }
  return 0.0F;
}

}  // namespace

Layout::Layout(const NetworkOptions& network, const DiffusionOptions& diffusion)
    : network_(network), diffusion_(diffusion) {
  check(network);
  const std::int64_t width = network.width;
  const std::int64_t patch = network.patch;
  const std::int64_t channels = network.channels;
  const double table = 1.0 / std::sqrt(static_cast<double>(width));

  add_linear("final_layer.linear", patch * patch * out_channels(), width, Start::zero, 0);
  add("final_layer.scale_shift_table", {2, width}, Start::normal, table);
  for (int i = network.depth; i-- > 0;) add_block(i);
  add_linear("y_embedder.y_proj.fc2", width, width, Start::normal, 0.02);
  add_linear("y_embedder.y_proj.fc1", width, network.caption_width, Start::normal, 0.02);
  add_linear("t_block.1", 6 * width, width, Start::normal, 0.02);
  for (const std::string name : {"ar_embedder", "csize_embedder"}) {
    if (!network.multi_aspect) break;
    add_linear(name + ".mlp.2", width / 3, width / 3, Start::normal, 0.02);
    add_linear(name + ".mlp.0", width / 3, kTimestepWidth, Start::normal, 0.02);
  }
  add_linear("t_embedder.mlp.2", width, width, Start::normal, 0.02);
  add_linear("t_embedder.mlp.0", width, kTimestepWidth, Start::normal, 0.02);
  const std::int64_t pixels = channels * patch * patch;
  add("x_embedder.proj.weight", {width, channels, patch, patch}, Start::uniform,
      xavier(width, pixels));
  // The original leaves this bias at the convolution's default.
  add("x_embedder.proj.bias", {width}, Start::uniform, 1.0 / std::sqrt(double(pixels)));
}

int Layout::out_channels() const {
  return network_.channels * (diffusion_.learned_variance ? 2 : 1);
}

void Layout::add(std::string name, std::vector<std::int64_t> shape, Start start, double scale) {
  const auto count = std::accumulate(shape.begin(), shape.end(), std::int64_t{1},
                                     [](std::int64_t a, std::int64_t b) { return a * b; });
  parameters_.push_back(
      {std::move(name), std::move(shape), start, scale, size_, static_cast<std::size_t>(count)});
  size_ += (static_cast<std::size_t>(count) + kAlignment - 1) / kAlignment * kAlignment;
}

void Layout::add_linear(const std::string& name, std::int64_t out, std::int64_t in, Start start,
                        double scale) {
  add(name + ".weight", {out, in}, start, scale);
  add(name + ".bias", {out}, Start::zero, 0);
}

void Layout::add_block(int index) {
  const std::string block = "blocks." + std::to_string(index) + ".";
  const std::int64_t width = network_.width;
  const auto hidden = static_cast<std::int64_t>(network_.mlp_ratio * network_.width);
  const auto linear = [&](const std::string& name, std::int64_t out, std::int64_t in) {
    add_linear(block + name, out, in, Start::uniform, xavier(out, in));
  };
  linear("mlp.fc2", width, hidden);
  linear("mlp.fc1", hidden, width);
  add_linear(block + "cross_attn.proj", width, width, Start::zero, 0);
  linear("cross_attn.kv_linear", 2 * width, width);
  linear("cross_attn.q_linear", width, width);
  linear("attn.proj", width, width);
  linear("attn.qkv", 3 * width, width);
  add(block + "scale_shift_table", {6, width}, Start::normal,
      1.0 / std::sqrt(static_cast<double>(width)));
}

const Parameter& Layout::find(std::string_view name) const {
  for (const auto& parameter : parameters_) {
    if (parameter.name == name) return parameter;
  }
  throw InternalError("no parameter is called " + std::string(name));
}

std::size_t Layout::trained() const {
  std::size_t sum = 0;
  for (const auto& parameter : parameters_) sum += parameter.count;
  return sum;
}

std::vector<float> Layout::start_of(const Parameter& parameter, std::uint64_t seed) {
  std::vector<float> values(parameter.count);
  if (parameter.start == Start::zero) return values;
  Random random(seed, Purpose::weights, xxh3_64(as_bytes(parameter.name)));
  for (auto& value : values) value = draw(random, parameter.start, parameter.scale);
  return values;
}

std::vector<float> Layout::start_weights(std::uint64_t seed) const {
  std::vector<float> weights(size_);
  for (const auto& parameter : parameters_) {
    const auto values = start_of(parameter, seed);
    std::copy(values.begin(), values.end(),
              weights.begin() + static_cast<std::ptrdiff_t>(parameter.offset));
  }
  return weights;
}

std::vector<float> Layout::start_null_text(std::uint64_t seed) const {
  const auto width = static_cast<std::size_t>(network_.caption_width);
  std::vector<float> states(static_cast<std::size_t>(network_.max_tokens) * width);
  Random random(seed, Purpose::weights, xxh3_64(as_bytes(kNullTextName)));
  const double scale = 1.0 / std::sqrt(static_cast<double>(width));
  for (auto& value : states) value = draw(random, Start::normal, scale);
  return states;
}

}  // namespace evd::nn
