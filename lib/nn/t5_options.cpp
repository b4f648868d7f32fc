#include "nn/t5_options.hpp"

#include <algorithm>
#include <cmath>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "nn/config_beside.hpp"

namespace evd::nn {
namespace {

using Json = nlohmann::json;
constexpr int kLargest = 1 << 20;

/// One key of the file; `fallback` is transformers' own default, -1 where there must be a value.
int whole(const Json& json, const char* key, const std::string& where, int fallback = -1) {
  const auto found = json.find(key);
  if (found == json.end() && fallback >= 0) return fallback;
  if (found == json.end() || !found->is_number_integer() || *found < 1 || *found > kLargest) {
    throw DataError(where + ": " + key + " is " +
                    (found == json.end() ? "missing" : found->dump()) +
                    " (wanted: a whole number from 1 to " + std::to_string(kLargest) + ")");
  }
  return found->get<int>();
}

void refuse_unless(const Json& json, const char* key, const std::string& wanted,
                   const std::string& where) {
  const auto found = json.find(key);
  const std::string is = found == json.end() ? "missing" : found->dump();
  if (found == json.end() || *found != wanted) {
    throw DataError(where + ": no T5 v1.1 encoder (" + key + " is " + is + ", not \"" + wanted +
                    "\"; T5 1.0, mT5 and UMT5 are other networks): name the folder of a T5 v1.1");
  }
}

}  // namespace

T5Options read_t5_options(const std::filesystem::path& path) {
  const auto file = config_beside(path);
  const std::string where = file.string();
  const Json json = Json::parse(fs::read_text(file), nullptr, false);
  if (!json.is_object()) throw DataError(where + ": no JSON object (it must be transformers' own)");
  refuse_unless(json, "model_type", "t5", where);
  refuse_unless(json, "feed_forward_proj", "gated-gelu", where);
  if (json.contains("dense_act_fn")) refuse_unless(json, "dense_act_fn", "gelu_new", where);

  T5Options options;
  options.d_model = whole(json, "d_model", where);
  options.d_kv = whole(json, "d_kv", where);
  options.heads = whole(json, "num_heads", where);
  options.d_ff = whole(json, "d_ff", where);
  options.layers = whole(json, "num_layers", where);
  options.vocab = whole(json, "vocab_size", where);
  options.buckets = whole(json, "relative_attention_num_buckets", where, 32);
  options.max_distance = whole(json, "relative_attention_max_distance", where, 128);
  if (const auto eps = json.find("layer_norm_epsilon"); eps != json.end()) {
    if (!eps->is_number()) {
      throw DataError(where + ": layer_norm_epsilon is " + eps->dump() + " (wanted: a number)");
    }
    options.eps = eps->get<double>();
  }
  check(options, where);
  return options;
}

void check(const T5Options& o, const std::string& where) {
  const int least = std::min({o.d_model, o.d_kv, o.heads, o.d_ff, o.layers, o.vocab});
  if (least < 1) throw DataError(where + ": a size of the T5 encoder is less than 1");
  if (o.buckets < 4 || o.buckets % 4 != 0 || o.max_distance <= o.buckets / 4) {
    throw DataError(where + ": " + std::to_string(o.buckets) + " buckets up to distance " +
                    std::to_string(o.max_distance) +
                    " (wanted: a multiple of 4, and a distance above a quarter of it)");
  }
  if (!(o.eps > 0 && o.eps < 1)) throw DataError(where + ": layer_norm_epsilon is not in (0, 1)");
}

int relative_bucket(std::int64_t distance, const T5Options& options) {
  const int half = options.buckets / 2;
  const int exact = half / 2;  // distances below have a bucket each
  const int base = distance > 0 ? half : 0;
  const std::int64_t n = std::abs(distance);
  if (n < exact) return base + static_cast<int>(n);
  const float place =
      std::log(static_cast<float>(n) / static_cast<float>(exact)) /
      static_cast<float>(std::log(static_cast<double>(options.max_distance) / exact)) *
      static_cast<float>(half - exact);
  return base + std::min(half - 1, exact + static_cast<int>(place));
}

}  // namespace evd::nn
