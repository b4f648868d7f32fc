#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "core/option.hpp"

namespace evd::nn {

enum class QkNorm : std::uint8_t { none, cross, self_cross };
enum class Prediction : std::uint8_t { noise, v };
/// How the timesteps of training samples are drawn: evenly; evenly with one in each of as many
/// stretches of the schedule as the global batch has samples; or the logistic function of a normal
/// number (Esser et al., 2024), which prefers the middle.
enum class TimestepDraw : std::uint8_t { uniform, stratified, logit_normal };
/// What the network reads of a prompt: frozen hashed word vectors (the rehearsal's), or T5 v1.1.
enum class TextKind : std::uint8_t { hashed_words, t5 };
/// What T5 computes in.
enum class TextCompute : std::uint8_t { float32, bfloat16 };
/// What stands for a caption that is left out: T5's states of the empty text, with its one token;
/// or the weights' own y_embedding, as many tokens of it as the caption has.
enum class NullText : std::uint8_t { encoded, weights };
enum class SamplerKind : std::uint8_t { ddim, ddim_trailing, dpmpp, dpmpp_authors, iddpm, sa };

/// Shape of the PixArt-style diffusion transformer. Identity: it never changes within a campaign.
struct NetworkOptions {
  int input_size = 32;  // H = W of what is denoised
  int channels = 3;
  int patch = 8;
  int width = 128;
  int depth = 6;
  int head_dim = 32;
  double mlp_ratio = 4.0;
  TextKind text_encoder = TextKind::hashed_words;
  int caption_width = 64;  // width of the text states
  int max_tokens = 12;
  bool multi_aspect = false;   // PixArtMS
  double interpolation = 1.0;  // the authors' lewei_scale
  QkNorm qk_norm = QkNorm::self_cross;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("input_size", input_size, {"px", "side of the square that is denoised", identity, 4, 4096});
    v("channels", channels, {"", "channels of what is denoised", identity, 1, 64});
    v("patch", patch, {"px", "side of a token's square", identity, 1, 64});
    v("width", width, {"", "channels of a token", identity, 8, 8192});
    v("depth", depth, {"blocks", "transformer blocks, one after another", identity, 1, 128});
    v("head_dim", head_dim, {"", "channels of an attention head", identity, 4, 512});
    v("mlp_ratio", mlp_ratio, {"", "hidden channels of the MLP over width", identity, 0.25, 16});
    v("text_encoder", text_encoder, {"", "what prompts are encoded by; t5 needs [text]", identity});
    v("caption_width", caption_width, {"", "channels of the text states", identity, 1, 8192});
    v("max_tokens", max_tokens, {"tokens", "longer prompts are cut", identity, 1, 4096});
    v("multi_aspect", multi_aspect,
      {"", "embed the picture's size and aspect (PixArtMS); width divides by 3", identity});
    v("interpolation", interpolation,
      {"", "positions are divided by this: 2 for PixArt at 1024 px", identity, 0.0625, 64});
    v("qk_norm", qk_norm, {"", "layer norm of queries and keys", identity});
  }
};

/// What becomes of a prompt before T5 reads it. Identity: the weights are trained on it.
struct PromptForm {
  bool clean = false;
  bool size_suffixes = false;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("clean", clean,
      {"", "captions are cleaned as PixArt's authors do; false = T5 reads prompts as written",
       identity});
    v("size_suffixes", size_suffixes,
      {"",
       "a prompt's end --ar H:W or --hw H:W says the size that the base draws it at (with "
       "network.multi_aspect), and T5 does not read it",
       identity});
  }
};

/// Forward process and what the network predicts. Identity too: weights mean nothing without it.
struct DiffusionOptions {
  Prediction prediction = Prediction::v;
  bool learned_variance = false;
  int timesteps = 1000;
  double beta_start = 1e-4;
  double beta_end = 2e-2;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("prediction", prediction, {"", "what the network predicts", identity});
    v("learned_variance", learned_variance,
      {"", "second half of the output is the variance", identity});
    v("timesteps", timesteps, {"", "of the linear schedule", identity, 2, 100000});
    v("beta_start", beta_start, {"", "first beta", identity, 0, 1});
    v("beta_end", beta_end, {"", "last beta", identity, 0, 1});
  }
};

/// What computes. automatic: a card where the program was built for cards and finds one.
enum class DeviceKind : std::uint8_t { automatic, cpu, cuda };
/// Of activations and of the weights that are computed with. bfloat16: products and attention in
/// it, what blocks hand on, norms and losses in float, as PyTorch's autocast does; master weights
/// stay float.
enum class Precision : std::uint8_t { float32, bfloat16 };

struct ComputeOptions {
  DeviceKind device = DeviceKind::automatic;
  Precision precision = Precision::float32;
  bool deterministic = true;

  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("device", device,
      {"", "what train and evaluate compute on; auto = a card where there is one", operation});
    v("precision", precision,
      {"",
       "of products and attention; bfloat16 is for cards, and slow on most processors. Master "
       "weights are float32 always",
       science});
    v("deterministic", deterministic,
      {"", "on cards: the same bits in each run, for some speed; processors always are",
       operation});
  }
};

struct SamplerOptions {
  SamplerKind sampler = SamplerKind::ddim_trailing;
  int steps = 20;
  double guidance = 3.0;
  int batch = 32;

  template <class V>
  void describe(V& v) {
    v("sampler", sampler,
      {"", "names solver and timesteps; dpmpp-authors is what PixArt and Edgen were shown with"});
    v("steps", steps, {"", "network evaluations of a picture", Scope::science, 1, 1000});
    v("guidance", guidance,
      {"", "classifier-free guidance scale; 1 = none", Scope::science, 0, 100});
    v("batch", batch, {"images", "rendered at once by a rank", Scope::operation, 1, 4096});
  }
};

}  // namespace evd::nn

namespace evd {
template <>
struct EnumNames<nn::QkNorm> {
  static constexpr std::array<std::string_view, 3> value = {"none", "cross", "self_cross"};
};
template <>
struct EnumNames<nn::Prediction> {
  static constexpr std::array<std::string_view, 2> value = {"noise", "v"};
};
template <>
struct EnumNames<nn::TimestepDraw> {
  static constexpr std::array<std::string_view, 3> value = {"uniform", "stratified",
                                                            "logit_normal"};
};
template <>
struct EnumNames<nn::DeviceKind> {
  static constexpr std::array<std::string_view, 3> value = {"auto", "cpu", "cuda"};
};
template <>
struct EnumNames<nn::Precision> {
  static constexpr std::array<std::string_view, 2> value = {"float32", "bfloat16"};
};
template <>
struct EnumNames<nn::TextKind> {
  static constexpr std::array<std::string_view, 2> value = {"hashed_words", "t5"};
};
template <>
struct EnumNames<nn::TextCompute> {
  static constexpr std::array<std::string_view, 2> value = {"float32", "bfloat16"};
};
template <>
struct EnumNames<nn::NullText> {
  static constexpr std::array<std::string_view, 2> value = {"encoded", "weights"};
};
template <>
struct EnumNames<nn::SamplerKind> {
  static constexpr std::array<std::string_view, 6> value = {
      "ddim", "ddim-trailing", "dpmpp", "dpmpp-authors", "iddpm", "sa"};
};
}  // namespace evd
