#include "nn/pixart_names.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <string>

#include "core/error.hpp"

namespace evd::nn {
namespace {

/// A module of the original and the equal parts of it, along dimension 0, in diffusers.
struct Rule {
  std::string_view original;
  std::array<std::string_view, 3> diffusers;
  std::size_t parts = 1;
};

// A `#` stands for a block's number.
constexpr std::array<Rule, 20> kRules = {{
    {"x_embedder.proj", {"pos_embed.proj"}},
    {"t_embedder.mlp.0", {"adaln_single.emb.timestep_embedder.linear_1"}},
    {"t_embedder.mlp.2", {"adaln_single.emb.timestep_embedder.linear_2"}},
    {"csize_embedder.mlp.0", {"adaln_single.emb.resolution_embedder.linear_1"}},
    {"csize_embedder.mlp.2", {"adaln_single.emb.resolution_embedder.linear_2"}},
    {"ar_embedder.mlp.0", {"adaln_single.emb.aspect_ratio_embedder.linear_1"}},
    {"ar_embedder.mlp.2", {"adaln_single.emb.aspect_ratio_embedder.linear_2"}},
    {"t_block.1", {"adaln_single.linear"}},
    {"y_embedder.y_proj.fc1", {"caption_projection.linear_1"}},
    {"y_embedder.y_proj.fc2", {"caption_projection.linear_2"}},
    {"blocks.#.attn.qkv",
     {"transformer_blocks.#.attn1.to_q", "transformer_blocks.#.attn1.to_k",
      "transformer_blocks.#.attn1.to_v"},
     3},
    {"blocks.#.attn.proj", {"transformer_blocks.#.attn1.to_out.0"}},
    {"blocks.#.cross_attn.q_linear", {"transformer_blocks.#.attn2.to_q"}},
    {"blocks.#.cross_attn.kv_linear",
     {"transformer_blocks.#.attn2.to_k", "transformer_blocks.#.attn2.to_v"},
     2},
    {"blocks.#.cross_attn.proj", {"transformer_blocks.#.attn2.to_out.0"}},
    {"blocks.#.mlp.fc1", {"transformer_blocks.#.ff.net.0.proj"}},
    {"blocks.#.mlp.fc2", {"transformer_blocks.#.ff.net.2"}},
    {"blocks.#.scale_shift_table", {"transformer_blocks.#.scale_shift_table"}},
    {"final_layer.linear", {"proj_out"}},
    {"final_layer.scale_shift_table", {"scale_shift_table"}},
}};

/// A tensor's name taken apart: "blocks.7.mlp.fc1.weight" -> "blocks.#.mlp.fc1", "7", ".weight".
struct Name {
  std::string module;
  std::string block;
  std::string ending;
};

Name parse(std::string_view text) {
  Name name;
  for (const std::string_view ending : {".weight", ".bias"}) {
    if (text.ends_with(ending)) name.ending = ending;
  }
  name.module = text.substr(0, text.size() - name.ending.size());
  for (const std::string_view start : {"blocks.", "transformer_blocks."}) {
    if (!name.module.starts_with(start)) continue;
    const std::size_t end = std::min(name.module.find('.', start.size()), name.module.size());
    name.block = name.module.substr(start.size(), end - start.size());
    name.module.replace(start.size(), name.block.size(), "#");
  }
  return name;
}

std::string build(std::string_view module, const Name& like) {
  std::string text(module);
  if (const auto place = text.find('#'); place != std::string::npos) {
    text.replace(place, 1, like.block);
  }
  return text + like.ending;
}

struct Found {
  const Rule* rule;
  std::size_t part;
};

std::optional<Found> find(const Name& name, PixartNames names) {
  for (const auto& rule : kRules) {
    if (names == PixartNames::original) {
      if (rule.original == name.module) return Found{&rule, 0};
      continue;
    }
    for (std::size_t part = 0; part < rule.parts; ++part) {
      if (rule.diffusers.at(part) == name.module) return Found{&rule, part};
    }
  }
  return std::nullopt;
}

[[noreturn]] void refuse(const WeightSet& set, const std::string& problem) {
  throw DataError(set.where() + ": no weights of a PixArt transformer (" + problem + ")");
}

/// The parts of one original tensor, laid one behind the other.
WeightTensor join_parts(const WeightSet& set, const Rule& rule, const Name& like,
                        std::vector<std::byte>& out) {
  WeightTensor whole;
  for (std::size_t part = 0; part < rule.parts; ++part) {
    const std::string name = build(rule.diffusers.at(part), like);
    const auto found = set.tensors().find(name);
    if (found == set.tensors().end()) refuse(set, "tensor " + name + " is missing");
    const auto& tensor = found->second;
    if (tensor.shape.empty()) refuse(set, "tensor " + name + " is a single number");
    if (part == 0) {
      whole = {tensor.type, tensor.shape, {}};
      whole.shape[0] *= static_cast<std::int64_t>(rule.parts);
    } else {
      auto shape = tensor.shape;
      shape[0] *= static_cast<std::int64_t>(rule.parts);
      if (shape != whole.shape || tensor.type != whole.type) {
        refuse(set, "tensor " + name + " is unlike " + build(rule.diffusers[0], like));
      }
    }
    out.insert(out.end(), tensor.elements.begin(), tensor.elements.end());
  }
  whole.elements = Bytes(out);
  return whole;
}

}  // namespace

PixartNames pixart_names(const WeightSet& set) {
  if (set.tensors().contains("x_embedder.proj.weight")) return PixartNames::original;
  if (set.tensors().contains("pos_embed.proj.weight")) return PixartNames::diffusers;
  refuse(set, "neither x_embedder.proj.weight nor pos_embed.proj.weight is there");
}

WeightSet with_original_names(const WeightSet& set) {
  if (pixart_names(set) == PixartNames::original) return set;
  WeightSet::Tensors tensors;
  auto joined = std::make_shared<std::vector<std::vector<std::byte>>>();
  for (const auto& [text, tensor] : set.tensors()) {
    const Name name = parse(text);
    const auto found = find(name, PixartNames::diffusers);
    if (!found) refuse(set, "tensor " + text + " is unknown");
    const std::string original = build(found->rule->original, name);
    if (found->rule->parts == 1) {
      tensors[original] = tensor;
    } else if (!tensors.contains(original)) {
      tensors[original] = join_parts(set, *found->rule, name, joined->emplace_back());
    }
  }
  return set.with(std::move(tensors), std::move(joined));
}

WeightSet with_diffusers_names(const WeightSet& set) {
  if (pixart_names(set) == PixartNames::diffusers) return set;
  WeightSet::Tensors tensors;
  for (const auto& [text, tensor] : set.tensors()) {
    if (text == kPositionsName || text == kNullTextName) continue;
    const Name name = parse(text);
    const auto found = find(name, PixartNames::original);
    if (!found) refuse(set, "tensor " + text + " is unknown");
    const auto parts = found->rule->parts;
    const bool splits = parts > 1;
    if (splits &&
        (tensor.shape.empty() || tensor.shape[0] % static_cast<std::int64_t>(parts) != 0)) {
      refuse(set, "tensor " + text + " " + shape_text(tensor.shape) + " cannot be split into " +
                      std::to_string(parts));
    }
    const std::size_t bytes = tensor.elements.size() / parts;
    for (std::size_t part = 0; part < parts; ++part) {
      WeightTensor piece = tensor;
      if (splits) piece.shape[0] /= static_cast<std::int64_t>(parts);
      piece.elements = tensor.elements.subspan(part * bytes, bytes);
      tensors[build(found->rule->diffusers.at(part), name)] = piece;
    }
  }
  return set.with(std::move(tensors), nullptr);
}

}  // namespace evd::nn
