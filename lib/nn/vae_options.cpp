#include "nn/vae_options.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "nn/config_beside.hpp"

namespace evd::nn {
namespace {

using Json = nlohmann::json;

/// The keys of a configuration, one by one: what was not asked for is refused at the end.
class Config {
 public:
  Config(std::string_view text, std::string where) : where_(std::move(where)) {
    json_ = Json::parse(text, nullptr, false);
    if (!json_.is_object()) {
      throw DataError(where_ + ": no configuration of a network (it is no JSON object)");
    }
  }

  [[noreturn]] void refuse(const std::string& key, const std::string& wanted) const {
    const bool there = json_.contains(key);
    throw DataError(where_ + ": " + key + (there ? " = " + json_[key].dump() : " is absent") +
                    " (" + wanted + ")");
  }
  [[nodiscard]] int integer(const std::string& key, int absent, int least, int most) {
    const auto* value = take(key);
    if (value == nullptr) return absent;
    const std::string wanted =
        "a whole number of " + std::to_string(least) + " .. " + std::to_string(most) + " is taken";
    if (!value->is_number_integer()) refuse(key, wanted);
    const auto number = value->get<std::int64_t>();
    if (number < least || number > most) refuse(key, wanted);
    return static_cast<int>(number);
  }
  [[nodiscard]] bool flag(const std::string& key, bool absent) {
    const auto* value = take(key);
    if (value == nullptr) return absent;
    if (!value->is_boolean()) refuse(key, "true or false is taken");
    return value->get<bool>();
  }
  [[nodiscard]] double positive(const std::string& key, double absent) {
    const auto* value = take(key);
    if (value == nullptr) return absent;
    if (!value->is_number() || !(value->get<double>() > 0)) refuse(key, "a number > 0 is taken");
    return value->get<double>();
  }
  /// At least one element, each taken by `accept`.
  template <class Accept>
  [[nodiscard]] Json list(const std::string& key, const std::string& wanted, const Accept& accept) {
    const auto* value = take(key);
    if (value == nullptr || !value->is_array() || value->empty()) refuse(key, wanted);
    for (const auto& item : *value) {
      if (!accept(item)) refuse(key, wanted);
    }
    return *value;
  }
  void only(const std::string& key, std::initializer_list<Json> choices) {
    const auto* value = take(key);
    if (value == nullptr) return;
    std::string wanted;
    for (const auto& choice : choices) {
      if (*value == choice) return;
      wanted += (wanted.empty() ? "" : " or ") + choice.dump();
    }
    refuse(key, wanted + " is taken");
  }
  void ignore(const std::string& key) { static_cast<void>(take(key)); }
  /// Keys with an underscore say who wrote the file.
  void refuse_the_rest() const {
    for (const auto& [key, value] : json_.items()) {
      if (!key.starts_with('_') && !taken_.contains(key)) refuse(key, "an unknown key");
    }
  }

 private:
  const Json* take(const std::string& key) {
    taken_[key] = true;
    const auto found = json_.find(key);
    return found == json_.end() ? nullptr : &*found;
  }

  std::string where_;
  Json json_;
  std::map<std::string, bool> taken_;
};

void check_blocks(Config& config, const std::string& key, const std::string& only,
                  std::size_t count) {
  const std::string wanted = std::to_string(count) + " x " + only + " is taken";
  const Json blocks = config.list(key, wanted, [&](const Json& item) { return item == only; });
  if (blocks.size() != count) config.refuse(key, wanted);
}

/// The names of a network's layers with their shapes, in the order of their use.
class Names {
 public:
  void conv(const std::string& name, int in, int out, int side) {
    add(name, {out, in, side, side});
  }
  void linear(const std::string& name, int in, int out) { add(name, {out, in}); }
  void norm(const std::string& name, int width) { add(name, {width}); }

  void resnet(const std::string& name, int in, int out) {
    norm(name + ".norm1", in);
    conv(name + ".conv1", in, out, 3);
    norm(name + ".norm2", out);
    conv(name + ".conv2", out, out, 3);
    if (in != out) conv(name + ".conv_shortcut", in, out, 1);
  }
  void middle(const std::string& name, int width, bool attention) {
    resnet(name + ".resnets.0", width, width);
    if (attention) {
      norm(name + ".attentions.0.group_norm", width);
      for (const auto* layer : {"to_q", "to_k", "to_v", "to_out.0"}) {
        linear(name + ".attentions.0." + layer, width, width);
      }
    }
    resnet(name + ".resnets.1", width, width);
  }
  [[nodiscard]] std::vector<WantedTensor> take() { return std::move(tensors_); }

 private:
  void add(const std::string& name, std::vector<std::int64_t> shape) {
    const std::int64_t width = shape.front();
    tensors_.push_back({name + ".weight", std::move(shape)});
    tensors_.push_back({name + ".bias", {width}});
  }
  std::vector<WantedTensor> tensors_;
};

}  // namespace

VaeOptions parse_vae_options(std::string_view text, const std::string& where) {
  Config config(text, where);
  VaeOptions o;
  config.only("_class_name", {"AutoencoderKL"});
  config.only("in_channels", {3});
  config.only("out_channels", {3});
  config.only("act_fn", {"silu", "swish"});  // two names of one function
  for (const auto* key : {"shift_factor", "latents_mean", "latents_std"}) {
    config.only(key, {nullptr});
  }
  config.ignore("force_upcast");  // the caller says what it computes in
  const auto widths = config.list(
      "block_out_channels", "a list of whole numbers of 1 .. 8192 is taken",
      [](const Json& item) { return item.is_number_integer() && item >= 1 && item <= 8192; });
  o.widths = widths.get<std::vector<int>>();
  if (o.widths.size() > 8) config.refuse("block_out_channels", "8 levels at most are taken");
  check_blocks(config, "down_block_types", "DownEncoderBlock2D", o.widths.size());
  check_blocks(config, "up_block_types", "UpDecoderBlock2D", o.widths.size());
  // What is absent has diffusers' default, which is not always ours.
  o.layers = config.integer("layers_per_block", 1, 1, 64);
  o.latent_channels = config.integer("latent_channels", 4, 1, 1024);
  o.groups = config.integer("norm_num_groups", 32, 1, 8192);
  o.sample_size = config.integer("sample_size", 32, 1, 1 << 16);
  o.scaling_factor = config.positive("scaling_factor", 0.18215);
  o.quant_conv = config.flag("use_quant_conv", true);
  o.post_quant_conv = config.flag("use_post_quant_conv", true);
  o.mid_attention = config.flag("mid_block_add_attention", true);
  for (const int width : o.widths) {
    if (width % o.groups != 0) {
      config.refuse("norm_num_groups", "each of block_out_channels must divide into groups");
    }
  }
  config.refuse_the_rest();
  return o;
}

VaeOptions read_vae_options(const std::filesystem::path& weights) {
  const auto path = config_beside(weights);
  return parse_vae_options(fs::read_text(path), path.string());
}

std::vector<WantedTensor> vae_tensors(const VaeOptions& o) {
  Names names;
  const int levels = static_cast<int>(o.widths.size());
  const auto width = [&](int level) { return o.widths[static_cast<std::size_t>(level)]; };

  names.conv("encoder.conv_in", 3, width(0), 3);
  for (int level = 0; level < levels; ++level) {
    const std::string block = "encoder.down_blocks." + std::to_string(level);
    for (int i = 0; i < o.layers; ++i) {
      const int in = width(i == 0 && level > 0 ? level - 1 : level);
      names.resnet(block + ".resnets." + std::to_string(i), in, width(level));
    }
    if (level + 1 < levels) {
      names.conv(block + ".downsamplers.0.conv", width(level), width(level), 3);
    }
  }
  names.middle("encoder.mid_block", width(levels - 1), o.mid_attention);
  names.norm("encoder.conv_norm_out", width(levels - 1));
  names.conv("encoder.conv_out", width(levels - 1), 2 * o.latent_channels, 3);
  if (o.quant_conv) names.conv("quant_conv", 2 * o.latent_channels, 2 * o.latent_channels, 1);

  if (o.post_quant_conv) names.conv("post_quant_conv", o.latent_channels, o.latent_channels, 1);
  names.conv("decoder.conv_in", o.latent_channels, width(levels - 1), 3);
  names.middle("decoder.mid_block", width(levels - 1), o.mid_attention);
  for (int level = levels - 1; level >= 0; --level) {  // up_blocks.0 is the deepest
    const std::string block = "decoder.up_blocks." + std::to_string(levels - 1 - level);
    for (int i = 0; i < o.layers + 1; ++i) {
      const int in = width(i == 0 && level + 1 < levels ? level + 1 : level);
      names.resnet(block + ".resnets." + std::to_string(i), in, width(level));
    }
    if (level > 0) names.conv(block + ".upsamplers.0.conv", width(level), width(level), 3);
  }
  names.norm("decoder.conv_norm_out", width(0));
  names.conv("decoder.conv_out", width(0), 3, 3);
  return names.take();
}

}  // namespace evd::nn
