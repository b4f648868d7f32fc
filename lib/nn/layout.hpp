#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "nn/options.hpp"
#include "nn/pixart_names.hpp"

namespace evd::nn {

/// How a parameter starts (PixArt-alpha, initialize_weights).
enum class Start : std::uint8_t { zero, uniform, normal };

/// One named tensor inside the flat parameter buffer.
struct Parameter {
  std::string name;  ///< as in the original PixArt checkpoints
  std::vector<std::int64_t> shape;
  Start start = Start::zero;
  double scale = 0;        ///< bound of the uniform, deviation of the normal
  std::size_t offset = 0;  ///< in elements; a multiple of kAlignment
  std::size_t count = 0;
};

/// Where every trained parameter of a network lies in one flat buffer. The order is that in which
/// backward finishes their gradients (head first, embedders last), so that a prefix of the buffer
/// can be reduced while backward still works on the rest. Gaps between tensors stay zero.
class Layout {
 public:
  /// 64 bytes of floats: MKL's results at small sizes depend on the alignment of its inputs.
  static constexpr std::size_t kAlignment = 16;

  /// ConfigurationError when the sizes do not fit each other.
  Layout(const NetworkOptions& network, const DiffusionOptions& diffusion);

  [[nodiscard]] std::span<const Parameter> parameters() const { return parameters_; }
  [[nodiscard]] const Parameter& find(std::string_view name) const;
  /// Elements of the flat buffer, gaps included.
  [[nodiscard]] std::size_t size() const { return size_; }
  /// Elements that are parameters.
  [[nodiscard]] std::size_t trained() const;

  /// Start weights, drawn by name from (seed, Purpose::weights): the same on every machine and
  /// rank.
  [[nodiscard]] std::vector<float> start_weights(std::uint64_t seed) const;
  /// Those of one parameter alone.
  [[nodiscard]] static std::vector<float> start_of(const Parameter& parameter, std::uint64_t seed);
  /// Text states of a dropped caption, (max_tokens, caption_width): frozen, never trained, kept in
  /// the checkpoint as `y_embedder.y_embedding`.
  [[nodiscard]] std::vector<float> start_null_text(std::uint64_t seed) const;

  [[nodiscard]] const NetworkOptions& network() const { return network_; }
  [[nodiscard]] const DiffusionOptions& diffusion() const { return diffusion_; }
  /// Channels of the network's output: twice the input's with learned variance.
  [[nodiscard]] int out_channels() const;

 private:
  void add(std::string name, std::vector<std::int64_t> shape, Start start, double scale);
  void add_linear(const std::string& name, std::int64_t out, std::int64_t in, Start start,
                  double scale);
  void add_block(int index);

  NetworkOptions network_;
  DiffusionOptions diffusion_;
  std::vector<Parameter> parameters_;
  std::size_t size_ = 0;
};

}  // namespace evd::nn
