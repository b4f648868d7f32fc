#include "nn/vae_names.hpp"

#include <algorithm>
#include <array>
#include <regex>
#include <string>

#include "core/error.hpp"

namespace evd::nn {
namespace {

constexpr std::string_view kFirstStage = "first_stage_model.";
constexpr std::size_t kLongestName = 200;  // of a name that is looked at: patterns recurse

struct Renaming {
  std::regex from;
  const char* to;
};

const std::array<Renaming, 13>& renamings() {
  static const std::array<Renaming, 13> value = {{
      // the latent-diffusion code
      {std::regex(R"(^(encoder|decoder)\.norm_out\.)"), "$1.conv_norm_out."},
      {std::regex(R"(^(encoder|decoder)\.mid\.block_1\.)"), "$1.mid_block.resnets.0."},
      {std::regex(R"(^(encoder|decoder)\.mid\.block_2\.)"), "$1.mid_block.resnets.1."},
      {std::regex(R"(^(encoder|decoder)\.mid\.attn_1\.norm\.)"),
       "$1.mid_block.attentions.0.group_norm."},
      {std::regex(R"(^(encoder|decoder)\.mid\.attn_1\.([qkv])\.)"),
       "$1.mid_block.attentions.0.to_$2."},
      {std::regex(R"(^(encoder|decoder)\.mid\.attn_1\.proj_out\.)"),
       "$1.mid_block.attentions.0.to_out.0."},
      {std::regex(R"(^encoder\.down\.(\d+)\.block\.(\d+)\.)"),
       "encoder.down_blocks.$1.resnets.$2."},
      {std::regex(R"(^encoder\.down\.(\d+)\.downsample\.)"),
       "encoder.down_blocks.$1.downsamplers.0."},
      {std::regex(R"(^((?:en|de)coder\..*)\.nin_shortcut\.)"), "$1.conv_shortcut."},
      // diffusers until 2023
      {std::regex(R"(\.attentions\.0\.query\.)"), ".attentions.0.to_q."},
      {std::regex(R"(\.attentions\.0\.key\.)"), ".attentions.0.to_k."},
      {std::regex(R"(\.attentions\.0\.value\.)"), ".attentions.0.to_v."},
      {std::regex(R"(\.attentions\.0\.proj_attn\.)"), ".attentions.0.to_out.0."},
  }};
  return value;
}

/// The decoder of the latent-diffusion code counts levels from the picture, diffusers' in the order
/// of their use: its level, or -1.
int decoder_level(const std::string& name, std::smatch& match) {
  static const std::regex pattern(R"(^decoder\.up\.(\d{1,3})\.(block\.(\d+)|upsample)\.)");
  return std::regex_search(name, match, pattern) ? std::stoi(match[1]) : -1;
}

std::string renamed(std::string name, int levels) {
  if (name.size() > kLongestName) return name;
  std::smatch match;
  if (const int level = decoder_level(name, match); level >= 0) {
    const std::string rest = match.suffix();
    const std::string layer = match[3].matched ? "resnets." + match[3].str() : "upsamplers.0";
    name = "decoder.up_blocks." + std::to_string(levels - 1 - level) + "." + layer + "." + rest;
  }
  for (const auto& [from, to] : renamings()) name = std::regex_replace(name, from, to);
  return name;
}

/// There the attention's linear maps are convolutions of side 1.
void as_linear(const std::string& name, WeightTensor& tensor) {
  if (name.find(".attentions.0.to_") == std::string::npos || tensor.shape.size() != 4) return;
  if (tensor.shape[2] == 1 && tensor.shape[3] == 1) tensor.shape.resize(2);
}

}  // namespace

WeightSet with_diffusers_vae_names(const WeightSet& set) {
  WeightSet::Tensors own;  // without what stands beside the network in a whole checkpoint
  const bool whole = std::any_of(set.tensors().begin(), set.tensors().end(), [](const auto& item) {
    return item.first.starts_with(kFirstStage);
  });
  for (const auto& [name, tensor] : set.tensors()) {
    if (whole && !name.starts_with(kFirstStage)) continue;
    std::string inner = whole ? name.substr(kFirstStage.size()) : name;
    if (!inner.starts_with("loss.")) own.emplace(std::move(inner), tensor);
  }
  int levels = 0;
  for (const auto& [name, tensor] : own) {
    std::smatch match;
    if (name.size() <= kLongestName) levels = std::max(levels, decoder_level(name, match) + 1);
  }
  WeightSet::Tensors tensors;
  for (auto& [name, tensor] : own) {
    const std::string to = renamed(name, levels);
    as_linear(to, tensor);
    if (!tensors.emplace(to, tensor).second) {
      throw DataError(set.where() + ": two tensors are " + to + " (one of them as " + name + ")");
    }
  }
  return set.with(std::move(tensors), nullptr);
}

}  // namespace evd::nn
