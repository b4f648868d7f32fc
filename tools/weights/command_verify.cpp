#include <bit>
#include <iostream>
#include <memory>

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

void run_verify(const VerifyOptions& options) {
  const auto set = nn::WeightSet::open(options.path, options.section);
  std::vector<std::string> problems;
  Sha256Stream stream;
  for (const auto& [name, tensor] : set.tensors()) {
    const std::size_t bad = not_finite(tensor);
    if (bad > 0) problems.push_back(name + " (" + std::to_string(bad) + ")");
    stream.field(name).field(nn::shape_text(tensor.shape)).field(name_of(tensor.type));
    stream.update(tensor.elements);
  }
  if (!problems.empty()) {
    throw DataError(set.where() + ": NaN or infinity in " + join(problems, ", "));
  }
  // A file that tells its variant is held to it.
  if (set.metadata().contains("network.qk_norm")) {
    const auto original = read_pixart(options.path, options.section);
    nn::check_tensors(original,
                      wanted_tensors(layout_of(original, config_beside(options.path), {})),
                      std::vector<std::string_view>{nn::kPositionsName, nn::kNullTextName});
  }
  std::cout << set.where() << ": well, " << set.tensors().size() << " tensors, digest "
            << stream.finish().hex() << "\n";
}

}  // namespace

Command add_verify(CLI::App& app) {
  const auto options = std::make_shared<VerifyOptions>();
  auto* verb = app.add_subcommand(
      "verify",
      "Reads all of a set of weights: sizes, NaN, and the shapes that its metadata tells");
  verb->add_option("PATH", options->path,
                   ".safetensors, an index of shards, .pth, or the folder of one of them")
      ->required();
  verb->add_option("--section", options->section,
                   "state dict of a .pth: state_dict (default) or state_dict_ema");
  return {verb, [options] { run_verify(*options); }};
}

}  // namespace evd::weights
