#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/id.hpp"
#include "core/option.hpp"
#include "nn/options.hpp"
#include "run/train_options.hpp"
#include "teacher/options.hpp"
#include "vlm/dialect.hpp"

namespace evd::run {

enum class DrawPolicy : std::uint8_t { all, winner, bandit };
enum class CapPolicy : std::uint8_t { stop, displace };
enum class Choose : std::uint8_t { vlm, random, all };
enum class OnTie : std::uint8_t { keep, remove };
enum class OnBudget : std::uint8_t { publish, hold };
enum class BaseInit : std::uint8_t { random, file };

struct CampaignOptions {
  std::string name = "campaign";
  std::uint64_t seed = 1;
  template <class V>
  void describe(V& v) {
    v("name", name, {"", "shown in reports", Scope::operation});
    v("seed", seed, {"", "of every random choice", Scope::identity});
  }
};

struct BaseOptions {
  BaseInit init = BaseInit::random;
  std::string file;
  std::string sha256;
  template <class V>
  void describe(V& v) {
    v("init", init, {"", "start weights", Scope::identity});
    v("file", file, {"", "safetensors, with init = file", Scope::operation});
    v("sha256", sha256, {"", "digest of that file", Scope::identity});
  }
};

/// The T5 that reads prompts, with network.text_encoder = t5.
struct TextOptions {
  std::string folder;
  std::string tokenizer;
  std::string sha256;
  nn::TextCompute compute = nn::TextCompute::float32;
  nn::NullText null_text = nn::NullText::encoded;
  nn::PromptForm prompts;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("folder", folder,
      {"", "T5 v1.1: config.json, weights, spiece.model, as transformers saves them", operation});
    v("tokenizer", tokenizer, {"", "spiece.model; empty = the one in text.folder", operation});
    v("sha256", sha256, {"", "digest of weights and tokenizer, as evd init takes it", identity});
    v("compute", compute, {"", "what T5 computes in; its states are kept as bfloat16", identity});
    v("null_text", null_text,
      {"", "what a left-out caption is: T5 of the empty text, or the weights' y_embedding",
       identity});
    prompts.describe(v);
  }
};

/// The VAE between pictures and what is denoised.
struct VaeOptions {
  std::string folder;
  std::string sha256;
  double scale = 0.18215;
  int stride = 8;
  int tile = 0;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("folder", folder,
      {"", "AutoencoderKL as diffusers saves it; empty = the network works on pixels", operation});
    v("sha256", sha256, {"", "digest of it, as evd init takes it; empty = no VAE", identity});
    v("scale", scale, {"", "diffusion works on latents times this", identity, 1e-6, 1e6});
    v("stride", stride, {"px", "side of a latent", identity, 1, 128});
    v("tile", tile,
      {"px", "larger pictures are worked on in tiles of this side; 0 = whole", identity, 0, 8192});
  }
};

/// Features: what the encoders make of prompts and pictures, before training.
struct FeatureOptions {
  double shard_mib = 64;
  int threads = 0;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("shard_mib", shard_mib,
      {"MiB", "size of a feature file: what a killed rank extracts again at most", operation,
       0.0001, 1024});
    v("threads", threads,
      {"", "prompts or pictures that a rank encodes at once; 0 = one a core", operation, 0, 1024});
  }
};

struct SetOptions {
  std::int64_t start_samples = 20000;
  int max_prompt_chars = 2000;
  int width = 512;
  int height = 512;
  template <class V>
  void describe(V& v) {
    v("start_samples", start_samples,
      {"prompts", "drawn from the pool; all if fewer", Scope::science, 1, 1e8});
    v("max_prompt_chars", max_prompt_chars,
      {"characters", "longer prompts are refused", Scope::science, 1, 32000});
    v("width", width, {"px", "asked of the teachers", Scope::science, 16, 8192});
    v("height", height, {"px", "asked of the teachers", Scope::science, 16, 8192});
  }
};

struct CapOptions {
  std::int64_t max_samples = 100000;
  CapPolicy policy = CapPolicy::stop;
  template <class V>
  void describe(V& v) {
    v("max_samples", max_samples,
      {"prompts", "members and waiting together", Scope::science, 1, 1e8});
    v("policy", policy,
      {"", "stop = take no more; displace = the member of smallest margin leaves"});
  }
};

struct DrawOptions {
  DrawPolicy policy = DrawPolicy::all;
  template <class V>
  void describe(V& v) {
    v("policy", policy,
      {"",
       "which teachers draw a new prompt: all; winner = the one whose image its parent has; bandit "
       "= "
       "one a prompt, by Thompson sampling on comparisons won per dollar (all until some are "
       "known)"});
  }
};

struct HarvestOptions {
  int min_teachers = 1;
  double service_patience_s = 900;
  OnBudget on_budget = OnBudget::publish;
  double shard_mib = 64;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("min_teachers", min_teachers,
      {"", "images a prompt needs to be judged while others are open", science, 1, 64});
    v("service_patience_s", service_patience_s,
      {"s", "how long a dead service is waited for", operation, 0, 1e6});
    v("on_budget", on_budget, {"", "budget spent: publish what there is, or hold", operation});
    v("shard_mib", shard_mib, {"MiB", "size of an image file", operation, 0.01, 1024});
  }
};

struct BudgetOptions {
  double usd = 100;
  double heldout_usd = 10;
  template <class V>
  void describe(V& v) {
    v("usd", usd,
      {"USD", "highest cost of the campaign, held-out images apart", Scope::operation, 0, 1e9});
    v("heldout_usd", heldout_usd,
      {"USD", "highest cost of the held-out images", Scope::operation, 0, 1e9});
  }
};

struct JudgeOptions {
  Choose choose = Choose::vlm;
  double choose_p = 0.5;
  OnTie on_tie = OnTie::keep;
  bool discriminate = true;
  bool expand = true;
  int expansions = 3;
  bool remove = true;
  bool mutate = true;
  double mutation_probability = 0.1;
  double tie_margin = 0.5;
  double max_unjudged = 0.05;
  int max_asks = 3;
  int image_side = 0;
  int score_prompts = 0;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("choose", choose,
      {"", "who decides base against target: vlm, random(choose_p), all = teacher always better"});
    v("choose_p", choose_p, {"", "P(teacher better) of choose = random", science, 0, 1});
    v("on_tie", on_tie, {"", "keep, or remove as the paper"});
    v("discriminate", discriminate, {"", "compare base and target at all"});
    v("expand", expand, {"", "write variations where the teacher is better"});
    v("expansions", expansions, {"prompts", "variations of one prompt (N_E)", science, 1, 16});
    v("remove", remove, {"", "drop prompts that the base has learned"});
    v("mutate", mutate, {"", "write unrelated prompts for removed ones"});
    v("mutation_probability", mutation_probability, {"", "of a removed prompt", science, 0, 1});
    v("tie_margin", tie_margin, {"logit", "smaller margins are ties", science, 0, 100});
    v("max_unjudged", max_unjudged,
      {"", "share of pairs that may stay unjudgeable", operation, 0, 1});
    v("max_asks", max_asks,
      {"", "times one question is asked before it counts as unjudgeable", science, 1, 20});
    v("image_side", image_side,
      {"px", "both images are shown at this size; 0 = as they are", science, 0, 4096});
    v("score_prompts", score_prompts,
      {"prompts", "held-out prompts that score uses; 0 = all", science, 0, 1e7});
  }
};

struct EvaluateOptions {
  double share = 0.2;
  nn::SamplerOptions sampling;
  template <class V>
  void describe(V& v) {
    v("share", share,
      {"", "of the set that is rendered for the judge (R_S)", Scope::science, 0, 1});
    sampling.describe(v);
  }
};

struct RehearsalOptions {
  bool enabled = false;
  std::uint64_t seed = 1;
  double latency_ms = 0;
  double fail_rate = 0;
  double refuse_rate = 0;
  double truncate_rate = 0;
  double nonsense_rate = 0;
  double throttle_rate = 0;
  double position_bias = 0.3;
  double judge_noise = 0.3;
  double malformed_rate = 0.01;
  template <class V>
  void describe(V& v) {
    using enum Scope;
    v("enabled", enabled, {"", "start the embedded services when they are needed", operation});
    v("seed", seed, {"", "of painters, reader and faults", science});
    v("latency_ms", latency_ms, {"ms", "mean delay of an answer", operation, 0, 1e6});
    v("fail_rate", fail_rate, {"", "share of attempts answered with 500 or 503", operation, 0, 1});
    v("refuse_rate", refuse_rate, {"", "share of prompts a teacher refuses", science, 0, 1});
    v("truncate_rate", truncate_rate, {"", "share of attempts cut off half way", operation, 0, 1});
    v("nonsense_rate", nonsense_rate,
      {"", "share of attempts answered with an HTML page and status 200", operation, 0, 1});
    v("throttle_rate", throttle_rate, {"", "share of attempts answered with 429", operation, 0, 1});
    v("position_bias", position_bias,
      {"logit", "the VLM's pull towards the first image", science, -10, 10});
    v("judge_noise", judge_noise,
      {"logit", "standard deviation of the VLM's opinion", science, 0, 10});
    v("malformed_rate", malformed_rate,
      {"", "share of VLM answers that are no JSON", science, 0, 1});
  }
};

/// The judge's service, and how it wants to be asked.
struct VlmOptions : teacher::ServiceOptions {
  VlmOptions() {
    name = "vlm";
    wire = teacher::Wire::openai_chat;
  }
  vlm::Dialect dialect;
  template <class V>
  void describe(V& v) {
    teacher::ServiceOptions::describe(v);
    dialect.describe(v);
  }
};

/// Everything that can be configured, at the value in force for one round. A TOML file mirrors it:
/// one table per member, `[[teacher]]` repeated, `[vlm]` once.
struct Config {
  CampaignOptions campaign;
  BaseOptions base;
  nn::NetworkOptions network;
  nn::DiffusionOptions diffusion;
  nn::ComputeOptions compute;
  TextOptions text;
  VaeOptions vae;
  FeatureOptions features;
  SetOptions set;
  CapOptions cap;
  DrawOptions draw;
  HarvestOptions harvest;
  BudgetOptions budget;
  JudgeOptions judge;
  TrainOptions train;
  EvaluateOptions evaluate;
  RehearsalOptions rehearsal;
  std::vector<teacher::ServiceOptions> teachers;  // [[teacher]]
  VlmOptions vlm;

  /// Side of the pictures that the network was made for. (px)
  [[nodiscard]] int side_px() const { return network.input_size * (has_vae() ? vae.stride : 1); }
  [[nodiscard]] bool has_vae() const { return !vae.sha256.empty() || !vae.folder.empty(); }
  [[nodiscard]] bool has_t5() const { return network.text_encoder == nn::TextKind::t5; }

  /// Calls `v.table("name", member)` for each table that occurs once.
  template <class V>
  void describe(V& v) {
    v.table("campaign", campaign);
    v.table("base", base);
    v.table("network", network);
    v.table("diffusion", diffusion);
    v.table("compute", compute);
    v.table("text", text);
    v.table("vae", vae);
    v.table("features", features);
    v.table("set", set);
    v.table("cap", cap);
    v.table("draw", draw);
    v.table("harvest", harvest);
    v.table("budget", budget);
    v.table("judge", judge);
    v.table("train", train);
    v.table("evaluate", evaluate);
    v.table("rehearsal", rehearsal);
    v.table("vlm", vlm);
  }
};

/// Reads TOML over the defaults. ConfigurationError for an unknown key (with the nearest known
/// one), a wrong type or a value out of range, naming `where` and the line.
[[nodiscard]] Config parse_config(std::string_view toml, std::string_view where);
/// Applies `key=value` pairs such as `train.lr=1e-4`, `teacher.alpha.price_usd=0.01`.
void apply_settings(Config& config, const std::vector<std::string>& settings);
/// Checks that need several keys at once (patch divides input_size, names are unique, ...).
/// parse_config and apply_settings call it. ConfigurationError led by `where`.
void check_config(const Config& config, std::string_view where);
/// What a campaign that draws and judges needs beside that: a teacher, a VLM, their addresses.
void require_services(const Config& config);

/// One key with its value as TOML; paths of teachers are teacher.<name>.<key>.
struct Setting {
  std::string path;
  std::string value;
  Scope scope = Scope::science;
};
[[nodiscard]] std::vector<Setting> settings_of(const Config& config);
/// A key whose value differs; an empty value = the key is not there (a teacher came or went).
struct Change {
  std::string path;
  std::string before;
  std::string after;
  Scope scope = Scope::science;
};
[[nodiscard]] std::vector<Change> changes(const Config& before, const Config& after);

/// The whole configuration as TOML with unit and help as comments: what --dump-config prints and a
/// campaign stores. parse_config(to_toml(c)) gives c again.
[[nodiscard]] std::string to_toml(const Config& config);
/// Digest of identity and science keys only.
[[nodiscard]] Sha256 science_digest(const Config& config);
/// Markdown table of every key: README's configuration section.
[[nodiscard]] std::string config_markdown();

}  // namespace evd::run

namespace evd {
template <>
struct EnumNames<run::DrawPolicy> {
  static constexpr std::array<std::string_view, 3> value = {"all", "winner", "bandit"};
};
template <>
struct EnumNames<run::CapPolicy> {
  static constexpr std::array<std::string_view, 2> value = {"stop", "displace"};
};
template <>
struct EnumNames<run::Choose> {
  static constexpr std::array<std::string_view, 3> value = {"vlm", "random", "all"};
};
template <>
struct EnumNames<run::OnTie> {
  static constexpr std::array<std::string_view, 2> value = {"keep", "delete"};
};
template <>
struct EnumNames<run::OnBudget> {
  static constexpr std::array<std::string_view, 2> value = {"publish", "hold"};
};
template <>
struct EnumNames<run::BaseInit> {
  static constexpr std::array<std::string_view, 2> value = {"random", "file"};
};
}  // namespace evd
