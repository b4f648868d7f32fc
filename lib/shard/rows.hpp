#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/enum.hpp"
#include "core/id.hpp"

/// The tables of the data contract, one struct per row. Each `columns(v)` calls
/// `v("name", member, {unit, meaning})` once per column, in file order; writer, reader, CSV, JSON
/// Lines, content digest and FORMAT.md's tables all come from it. The member's type decides the
/// storage:
///   HexId            fixed-length ASCII string of 2 * bytes characters
///   NamedEnum        HDF5 enum of uint8
///   bool             HDF5 enum of uint8 (FALSE, TRUE), as h5py writes
///   int32/int64/float/double  the same
///   Name             int32 column + `<column>_names` (open vocabulary)
///   std::string      variable-length UTF-8 for samples.prompt only; elsewhere ragged bytes:
///                    `<column>` uint8 contiguous + `<column>_offsets` uint64 [rows + 1]
///   Blob             as std::string, plus `<column>_xxh3` uint64 per row, checked at each read
namespace evd::shard {

/// A word of an open vocabulary (teacher, model, reason).
struct Name {
  std::string text;
  friend auto operator<=>(const Name&, const Name&) = default;
};
using Blob = std::vector<std::byte>;

struct ColumnInfo {
  std::string_view unit = "";
  std::string_view meaning = "";
  /// Left out of content digests: times, latency, request ids, file, row, writer.
  bool is_volatile = false;
};

enum class Split : std::uint8_t { train, heldout };
enum class Status : std::uint8_t { member, waiting, removed, displaced, refused, failed, heldout };
enum class Operation : std::uint8_t { seed, expand, mutate, import };
enum class Removal : std::uint8_t { none, learned, tie, displaced, refused, failed, unjudged };
enum class CategorySource : std::uint8_t { given, rules, vlm };
enum class Outcome : std::uint8_t { ok, refused, failed, open };
enum class Origin : std::uint8_t { teacher, base, imported };
enum class Question : std::uint8_t { select, discriminate, expand, mutate, score, align };
enum class Choice : std::uint8_t { first, second, tie, unparsed };
enum class Verdict : std::uint8_t { a, b, tie, unjudgeable };
enum class ChosenBy : std::uint8_t { vlm, random, all };
enum class FeatureKind : std::uint8_t { text, latent };

/// One prompt of the campaign: set.h5, one row for every sample it ever had.
struct Sample {
  SampleId id;
  Split split = Split::train;
  Status status = Status::waiting;
  std::string prompt;
  std::string prompt_sent;
  Operation operation = Operation::seed;
  SampleId parent;
  SampleId root;
  std::int32_t generation = 0;
  std::int32_t round_added = 0;
  std::int32_t round_removed = -1;
  Removal removed_why = Removal::none;
  bool category_human = false;
  bool category_text = false;
  bool category_multi = false;
  CategorySource category_source = CategorySource::rules;
  std::int32_t width = 0;
  std::int32_t height = 0;
  Name target_teacher;
  ImageId target_image;
  Sha256 target_shard;
  std::int32_t target_row = -1;
  Name runner_up;
  Name teachers_drawn;
  std::int32_t wins = 0;
  std::int32_t ties = 0;
  std::int32_t losses = 0;
  float margin = 0;
  std::int32_t times_judged = 0;
  std::int64_t times_trained = 0;
  float training_loss = 0;
  std::int64_t cost_microusd = 0;

  template <class V>
  void columns(V& v) {
    v("id", id, {"", "from canonical prompt and size"});
    v("split", split, {"", "train, or heldout: never trained on"});
    v("status", status, {"", "member = in the set; waiting = has no images yet"});
    v("prompt", prompt, {"", "as written, NFC, white space folded"});
    v("prompt_sent", prompt_sent, {"", "as sent to the teachers"});
    v("operation", operation, {"", "what made it"});
    v("parent", parent, {"", "sample it was expanded or mutated from; zeros = none"});
    v("root", root, {"", "start prompt its lineage goes back to"});
    v("generation", generation, {"", "steps from the root"});
    v("round_added", round_added, {"round", "round whose judge wrote it; 0 for the start set"});
    v("round_removed", round_removed, {"round", "-1 = not removed"});
    v("removed_why", removed_why, {"", "why it left the set or the waiting list"});
    v("category_human", category_human, {"", "the prompt asks for a human"});
    v("category_text", category_text, {"", "the prompt asks for written text"});
    v("category_multi", category_multi, {"", "the prompt asks for several objects"});
    v("category_source", category_source, {"", "who decided the categories"});
    v("width", width, {"px", "size bucket"});
    v("height", height, {"px", "size bucket"});
    v("target_teacher", target_teacher, {"", "teacher whose image is the training target"});
    v("target_image", target_image, {"", "images.id of the target"});
    v("target_shard", target_shard, {"", "SHA-256 of the file that holds the target", true});
    v("target_row", target_row, {"row", "row of the target in that file", true});
    v("runner_up", runner_up, {"", "teacher that lost the last match of the tournament"});
    v("teachers_drawn", teachers_drawn, {"", "teachers with an image, joined by +"});
    v("wins", wins, {"", "times the target beat the base model's image"});
    v("ties", ties, {"", "times neither was better"});
    v("losses", losses, {"", "times the base model's image was better"});
    v("margin", margin, {"logit", "target against base when last judged; > 0 = target better"});
    v("times_judged", times_judged, {"", "discriminations so far"});
    v("times_trained", times_trained, {"", "times training took it, up to the round before"});
    v("training_loss", training_loss,
      {"", "mean in the last round that took it; 0 = none did", true});
    v("cost_microusd", cost_microusd, {"micro-dollar", "all its images and answers"});
  }
};

/// One picture that was asked for: a teacher's (harvest), or the base model's (evaluate).
struct Image {
  ImageId id;
  SampleId prompt_id;
  RequestKey key;
  std::int32_t round = 0;
  Split split = Split::train;
  Origin origin = Origin::teacher;
  Name teacher;
  Name model;
  Name model_echo;
  std::int32_t sample_index = 0;
  std::int64_t seed = -1;
  Outcome outcome = Outcome::ok;
  Name reason;
  std::string revised_prompt;
  std::string request_id;
  std::int32_t requested_width = 0;
  std::int32_t requested_height = 0;
  std::int32_t width = 0;
  std::int32_t height = 0;
  Name mime;
  std::int64_t cost_microusd = 0;
  std::int64_t asked_ms = 0;
  std::int64_t answered_ms = 0;
  std::int32_t attempts = 0;
  Sha256 checkpoint;
  Sha256 sha256;
  Blob bytes;

  template <class V>
  void columns(V& v) {
    v("id", id, {"", "from key and bytes"});
    v("prompt_id", prompt_id, {"", "samples.id"});
    v("key", key, {"", "request key: the same request is never paid for twice"});
    v("round", round, {"round", "round that drew it; -1 = with the start weights"});
    v("split", split, {"", ""});
    v("origin", origin, {"", "who drew it"});
    v("teacher", teacher, {"", "teacher's name; base for the base model"});
    v("model", model, {"", "model as asked for"});
    v("model_echo", model_echo, {"", "model as the service answered"});
    v("sample_index", sample_index, {"", "which picture of this prompt by this teacher"});
    v("seed", seed, {"", "seed sent or used; -1 = none"});
    v("outcome", outcome, {"", "open = budget or service ended first"});
    v("reason", reason, {"", "refusal or failure code"});
    v("revised_prompt", revised_prompt, {"", "prompt that the service says it used"});
    v("request_id", request_id, {"", "the service's own id", true});
    v("requested_width", requested_width, {"px", ""});
    v("requested_height", requested_height, {"px", ""});
    v("width", width, {"px", "of the stored picture; 0 = none"});
    v("height", height, {"px", "of the stored picture; 0 = none"});
    v("mime", mime, {"", "by the bytes' own magic"});
    v("cost_microusd", cost_microusd, {"micro-dollar", "what was charged for it"});
    v("asked_ms", asked_ms, {"ms UTC", "", true});
    v("answered_ms", answered_ms, {"ms UTC", "", true});
    v("attempts", attempts, {"", "HTTP attempts it took", true});
    v("checkpoint", checkpoint, {"", "weights it was rendered with; zeros for teachers"});
    v("sha256", sha256, {"", "of the encoded bytes"});
    v("bytes", bytes, {"", "the encoded picture as it came"});
  }
};

/// One reply of the VLM, raw.
struct Answer {
  RequestKey key;
  std::int32_t round = 0;
  Question question = Question::select;
  std::int32_t template_version = 0;
  Name judge;
  SampleId sample;
  ImageId first;
  ImageId second;
  std::int32_t attempt = 0;
  Outcome outcome = Outcome::ok;
  Name reason;
  Choice choice = Choice::unparsed;
  float p_first = 0.5F;
  std::string text;
  std::string request_id;
  std::int64_t cost_microusd = 0;
  std::int64_t asked_ms = 0;
  std::int64_t answered_ms = 0;

  template <class V>
  void columns(V& v) {
    v("key", key, {"", "request key"});
    v("round", round, {"round", ""});
    v("question", question, {"", ""});
    v("template_version", template_version, {"", "version of the question's wording"});
    v("judge", judge, {"", "VLM as asked for"});
    v("sample", sample, {"", "samples.id"});
    v("first", first, {"", "image shown first; zeros = none"});
    v("second", second, {"", "image shown second; zeros = none"});
    v("attempt", attempt, {"", "how often the same question was asked before"});
    v("outcome", outcome, {"", ""});
    v("reason", reason, {"", "refusal or failure code"});
    v("choice", choice, {"", "what was read in it"});
    v("p_first", p_first, {"", "probability that the first is better; 0.5 = tie or unparsed"});
    v("text", text, {"", "the reply's content as it came"});
    v("request_id", request_id, {"", "the service's own id", true});
    v("cost_microusd", cost_microusd, {"micro-dollar", ""});
    v("asked_ms", asked_ms, {"ms UTC", "", true});
    v("answered_ms", answered_ms, {"ms UTC", "", true});
  }
};

/// One decided comparison of two images, both orders.
struct Pair {
  PairId id;
  std::int32_t round = 0;
  Question question = Question::select;
  SampleId sample;
  Split split = Split::train;
  ImageId image_a;
  ImageId image_b;
  Name teacher_a;
  Name teacher_b;
  float p_ab = 0.5F;
  float p_ba = 0.5F;
  float probability = 0.5F;
  float margin = 0;
  float bias = 0;
  Verdict verdict = Verdict::unjudgeable;
  ChosenBy chosen_by = ChosenBy::vlm;
  Name judge;
  std::int32_t template_version = 0;
  Sha256 checkpoint;

  template <class V>
  void columns(V& v) {
    v("id", id, {"", "from question, images, judge and template"});
    v("round", round, {"round", ""});
    v("question", question, {"", "select, discriminate or score"});
    v("sample", sample, {"", "samples.id"});
    v("split", split, {"", ""});
    v("image_a", image_a, {"", "images.id"});
    v("image_b", image_b, {"", "images.id"});
    v("teacher_a", teacher_a, {"", "who drew a"});
    v("teacher_b", teacher_b, {"", "who drew b; base for the base model"});
    v("p_ab", p_ab, {"", "P(first better) when a was shown first"});
    v("p_ba", p_ba, {"", "P(first better) when b was shown first"});
    v("probability", probability, {"", "P(a better) without the position bias"});
    v("margin", margin, {"logit", "(logit p_ab - logit p_ba) / 2"});
    v("bias", bias, {"logit", "(logit p_ab + logit p_ba) / 2: the pull of the first place"});
    v("verdict", verdict, {"", ""});
    v("chosen_by", chosen_by, {"", "judge.choose"});
    v("judge", judge, {"", "VLM as asked for"});
    v("template_version", template_version, {"", ""});
    v("checkpoint", checkpoint, {"", "weights of the base image; zeros = none"});
  }
};

/// One HTTP attempt.
struct Call {
  RequestKey key;
  Name service;
  Name stage;
  std::int32_t round = 0;
  std::int32_t attempt = 0;
  std::int32_t status = 0;
  Outcome outcome = Outcome::open;
  Name reason;
  bool ambiguous = false;
  std::int64_t cost_microusd = 0;
  std::int64_t started_ms = 0;
  std::int64_t finished_ms = 0;
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
  std::int32_t rank = 0;
  Name job;

  template <class V>
  void columns(V& v) {
    v("key", key, {"", "request key"});
    v("service", service, {"", ""});
    v("stage", stage, {"", ""});
    v("round", round, {"round", ""});
    v("attempt", attempt, {"", "from 0 within the key"});
    v("status", status, {"", "HTTP status; 0 = none came"});
    v("outcome", outcome, {"", "open = retried or ambiguous"});
    v("reason", reason, {"", ""});
    v("ambiguous", ambiguous, {"", "sent, and no answer was recorded: may have been charged"});
    v("cost_microusd", cost_microusd,
      {"micro-dollar", "charged, or possibly charged if ambiguous"});
    v("started_ms", started_ms, {"ms UTC", "", true});
    v("finished_ms", finished_ms, {"ms UTC", "", true});
    v("bytes_sent", bytes_sent, {"B", "", true});
    v("bytes_received", bytes_received, {"B", "", true});
    v("rank", rank, {"", "", true});
    v("job", job, {"", "", true});
  }
};

/// One line of the user's prompts.
struct Prompt {
  SampleId id;
  std::string text;
  std::int64_t line = 0;
  bool category_human = false;
  bool category_text = false;
  bool category_multi = false;
  CategorySource category_source = CategorySource::rules;

  template <class V>
  void columns(V& v) {
    v("id", id, {"", "samples.id at the default size"});
    v("text", text, {"", "canonical prompt"});
    v("line", line, {"", "line of the user's file, from 1"});
    v("category_human", category_human, {"", ""});
    v("category_text", category_text, {"", ""});
    v("category_multi", category_multi, {"", ""});
    v("category_source", category_source, {"", ""});
  }
};

/// One optimizer step.
struct Step {
  std::int64_t step = 0;
  std::int32_t round = 0;
  float loss = 0;
  float gradient_norm = 0;
  float learning_rate = 0;
  bool skipped = false;
  float data_s = 0;
  float forward_s = 0;
  float backward_s = 0;
  float reduce_s = 0;
  float optimizer_s = 0;

  template <class V>
  void columns(V& v) {
    v("step", step, {"", "from 0 over the whole campaign"});
    v("round", round, {"round", ""});
    v("loss", loss, {"", "mean over the global batch"});
    v("gradient_norm", gradient_norm, {"", "before clipping"});
    v("learning_rate", learning_rate, {"", ""});
    v("skipped", skipped, {"", "loss or gradient was not finite"});
    v("data_s", data_s, {"s", "rank 0", true});
    v("forward_s", forward_s, {"s", "rank 0", true});
    v("backward_s", backward_s, {"s", "rank 0, with overlapped reduction", true});
    v("reduce_s", reduce_s, {"s", "rank 0, waiting for other ranks", true});
    v("optimizer_s", optimizer_s, {"s", "rank 0", true});
  }
};

/// What an encoder made of a prompt or a picture, once for all rounds.
struct Feature {
  RequestKey key;
  FeatureKind kind = FeatureKind::text;
  std::int32_t tokens = 0;
  std::int32_t channels = 0;
  std::int32_t height = 0;
  std::int32_t width = 0;
  Sha256 sha256;
  Blob bytes;

  template <class V>
  void columns(V& v) {
    v("key", key, {"", "what was encoded, by which encoder: see Features"});
    v("kind", kind,
      {"", "text: states of a prompt's tokens; latent: a picture's mean and deviation"});
    v("tokens", tokens, {"tokens", "of a text, its end mark included; 0 for latents"});
    v("channels", channels, {"", "of a token, or of the latents"});
    v("height", height, {"latents", "0 for texts"});
    v("width", width, {"latents", "0 for texts"});
    v("sha256", sha256, {"", "of the bytes"});
    v("bytes", bytes,
      {"", "text: bfloat16 (tokens, channels); latent: float16 (2, channels, height, width)"});
  }
};

/// A feature that a training used: where it lies.
struct FeatureUse {
  RequestKey key;
  FeatureKind kind = FeatureKind::text;
  SampleId sample;
  std::int32_t round = 0;
  Sha256 shard;
  std::int32_t row = -1;

  template <class V>
  void columns(V& v) {
    v("key", key, {"", "features.key"});
    v("kind", kind, {"", ""});
    v("sample", sample, {"", "samples.id; zeros = the empty text, for captions that are left out"});
    v("round", round, {"round", "round whose training extracted it", true});
    v("shard", shard, {"", "SHA-256 of the file that holds it", true});
    v("row", row, {"row", "row in that file", true});
  }
};

/// One measured figure.
struct Metric {
  std::int32_t round = 0;
  Name stage;
  Name metric;
  Name category;
  Name teacher;
  double value = 0;
  double low = 0;
  double high = 0;
  std::int64_t count = 0;

  template <class V>
  void columns(V& v) {
    v("round", round, {"round", "-1 = start weights"});
    v("stage", stage, {"", "who measured"});
    v("metric", metric, {"", "what was measured"});
    v("category", category, {"", "all, human, text, multi"});
    v("teacher", teacher, {"", "against whom; empty = nobody"});
    v("value", value, {"", ""});
    v("low", low, {"", "lower end of the 95 % interval"});
    v("high", high, {"", "upper end of the 95 % interval"});
    v("count", count, {"", "how many samples"});
  }
};

}  // namespace evd::shard

namespace evd {
#define EVD_SHARD_NAMES(Type, count, ...)                                       \
  template <>                                                                   \
  struct EnumNames<shard::Type> {                                               \
    static constexpr std::array<std::string_view, count> value = {__VA_ARGS__}; \
  }
EVD_SHARD_NAMES(Split, 2, "train", "heldout");
EVD_SHARD_NAMES(Status, 7, "member", "waiting", "removed", "displaced", "refused", "failed",
                "heldout");
EVD_SHARD_NAMES(Operation, 4, "seed", "expand", "mutate", "import");
EVD_SHARD_NAMES(Removal, 7, "none", "learned", "tie", "displaced", "refused", "failed", "unjudged");
EVD_SHARD_NAMES(CategorySource, 3, "given", "rules", "vlm");
EVD_SHARD_NAMES(Outcome, 4, "ok", "refused", "failed", "open");
EVD_SHARD_NAMES(Origin, 3, "teacher", "base", "imported");
EVD_SHARD_NAMES(Question, 6, "select", "discriminate", "expand", "mutate", "score", "align");
EVD_SHARD_NAMES(Choice, 4, "first", "second", "tie", "unparsed");
EVD_SHARD_NAMES(Verdict, 4, "a", "b", "tie", "unjudgeable");
EVD_SHARD_NAMES(ChosenBy, 3, "vlm", "random", "all");
EVD_SHARD_NAMES(FeatureKind, 2, "text", "latent");
#undef EVD_SHARD_NAMES
}  // namespace evd
