#include <algorithm>
#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/pixart_names.hpp"
#include "weights/commands.hpp"
#include "weights/diffusers_folder.hpp"
#include "weights/variant.hpp"

namespace evd::weights {
namespace {

struct VerifyOptions {
  std::filesystem::path path;
  std::string section;
};

template <class Bits>
std::size_t count_not_finite(Bytes elements, Bits exponent) {
  std::size_t count = 0;
  for (std::size_t i = 0; i + sizeof(Bits) <= elements.size(); i += sizeof(Bits)) {
    Bits value;
    std::copy_n(elements.data() + i, sizeof(Bits), reinterpret_cast<std::byte*>(&value));
    count += (value & exponent) == exponent ? 1 : 0;
  }
  return count;
}

std::size_t not_finite(const nn::WeightTensor& tensor) {
  switch (tensor.type) {
    case nn::TensorType::F16:
      return count_not_finite<std::uint16_t>(tensor.elements, 0x7C00);
    case nn::TensorType::BF16:
      return count_not_finite<std::uint16_t>(tensor.elements, 0x7F80);
    case nn::TensorType::F32:
      return count_not_finite<std::uint32_t>(tensor.elements, 0x7F800000);
    case nn::TensorType::F64:
      return count_not_finite<std::uint64_t>(tensor.elements, 0x7FF0000000000000);
    default:
      return 0;
  }
}

/// All tensors, null text beside a folder of diffusers included, and whether their shapes were
/// compared with the network that they tell of.
struct Verified {
  nn::WeightSet weights;
  std::string unchecked;  ///< why not; empty = they were
};

Verified read(const VerifyOptions& options) {
  const auto set = nn::WeightSet::open(options.path, options.section);
  const auto has = [&](std::string_view name) { return set.tensors().contains(name); };
  if (!has("x_embedder.proj.weight") && !has("pos_embed.proj.weight")) {
    return {set, "they are no PixArt transformer's"};
  }
  const auto pixart = read_pixart(options.path, options.section);
  std::optional<nn::Layout> layout;
  try {
    layout = layout_of(pixart.weights, pixart.config_json, {});
  } catch (const DataError& error) {
    return {pixart.weights, error.what()};
  }
  check(pixart.weights, *layout);
  return {pixart.weights, ""};
}

void run_verify(const VerifyOptions& options) {
  const auto verified = read(options);
  const auto& set = verified.weights;
  if (set.tensors().empty()) throw DataError(set.where() + ": it holds no tensor");
  std::string first;
  std::size_t count = 0;
  Sha256Stream stream;
  for (const auto& [name, tensor] : set.tensors()) {
    const std::size_t bad = not_finite(tensor);
    if (bad > 0 && count++ == 0) first = printable(name) + " (" + std::to_string(bad) + ")";
    stream.field(name).field(nn::shape_text(tensor.shape)).field(name_of(tensor.type));
    stream.update(tensor.elements);
  }
  if (count > 0) {
    throw DataError(set.where() + ": NaN or infinity in " + first +
                    (count > 1 ? " and " + std::to_string(count - 1) + " more tensors" : "") +
                    " (take an earlier checkpoint)");
  }
  if (!verified.unchecked.empty()) {
    std::cerr << "evd-weights: shapes were not compared: " << verified.unchecked << "\n";
  }
  std::cout << set.where() << ": well, " << set.tensors().size() << " tensors, digest "
            << stream.finish().hex() << "\n";
}

}  // namespace

Command add_verify(CLI::App& app) {
  const auto options = std::make_shared<VerifyOptions>();
  auto* verb = app.add_subcommand(
      "verify",
      "Reads all of a set of weights: sizes, NaN, and the shapes of the network that it tells of");
  verb->add_option("PATH", options->path,
                   ".safetensors, an index of shards, .pth, or the folder of one of them")
      ->required();
  verb->add_option("--section", options->section,
                   "state dict of a .pth: state_dict (default) or state_dict_ema");
  return {verb, [options] { run_verify(*options); }};
}

}  // namespace evd::weights
