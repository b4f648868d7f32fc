#include "nn/model_file.hpp"

#include <algorithm>

#include "core/enum.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "nn/tensor_problems.hpp"

namespace evd::nn {
namespace {

// Writes each option of a struct as text, under a prefix.
struct MetadataVisitor {
  std::map<std::string, std::string, std::less<>>& out;
  std::string prefix;

  template <class T>
  void operator()(std::string_view key, const T& value, const OptionInfo&) {
    std::string text;
    if constexpr (NamedEnum<T>) {
      text = name(value);
    } else if constexpr (std::is_same_v<T, bool>) {
      text = value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      text = format("%.17g", value);
    } else {
      text = std::to_string(value);
    }
    out[prefix + std::string(key)] = text;
  }
};

std::vector<std::int64_t> null_text_shape(const Layout& layout) {
  return {layout.network().max_tokens, layout.network().caption_width};
}

void note_unexpected(const Safetensors& file, const Layout& layout, TensorProblems& problems) {
  for (const auto& [name, tensor] : file.tensors()) {
    const auto known = std::any_of(layout.parameters().begin(), layout.parameters().end(),
                                   [&](const Parameter& p) { return p.name == name; });
    // The original stores its fixed positions too; ours are computed.
    if (!known && name != kNullTextName && name != kPositionsName) problems.unexpected(name);
  }
}

void note_unfit(const Safetensors& file, const Layout& layout, const std::string& prefix,
                TensorProblems& problems) {
  for (const auto& parameter : layout.parameters()) {
    const std::string name = prefix + parameter.name;
    const auto found = file.tensors().find(name);
    if (found == file.tensors().end()) {
      problems.missing(name);
    } else if (found->second.shape != parameter.shape) {
      problems.misshapen(name, found->second.shape, parameter.shape);
    }
  }
}

}  // namespace

Weights start_weights(const Layout& layout, std::uint64_t seed) {
  return {layout.start_weights(seed), layout.start_null_text(seed)};
}

Sha256 digest_of(const Layout& layout, const Weights& weights) {
  Sha256Stream stream;
  for (const auto& parameter : layout.parameters()) {
    const auto values = std::span(weights.flat).subspan(parameter.offset, parameter.count);
    stream.field(parameter.name).update(std::as_bytes(values));
  }
  stream.field(kNullTextName).update(std::as_bytes(std::span(weights.null_text)));
  return stream.finish();
}

std::map<std::string, std::string, std::less<>> metadata_of(const Layout& layout) {
  std::map<std::string, std::string, std::less<>> metadata;
  NetworkOptions network = layout.network();
  DiffusionOptions diffusion = layout.diffusion();
  MetadataVisitor shape{metadata, "network."};
  network.describe(shape);
  MetadataVisitor process{metadata, "diffusion."};
  diffusion.describe(process);
  metadata.erase("network.text_encoder");
  metadata["text_encoder"] = network.text_encoder == TextKind::t5 ? "t5-v1.1" : "hashed_words/1";
  return metadata;
}

void check_metadata(const Safetensors& file, const Layout& layout) {
  std::vector<std::string> absent;
  std::vector<std::string> different;
  for (const auto& [key, value] : metadata_of(layout)) {
    const auto found = file.metadata().find(key);
    if (found == file.metadata().end()) {
      absent.push_back(key);
    } else if (found->second != value) {
      different.push_back(key + " = " + found->second + " (configured: " + value + ")");
    }
  }
  if (!different.empty()) {
    throw DataError(file.where() + ": weights of another network: " + first_few(different));
  }
  if (!absent.empty()) {
    throw DataError(file.where() + ": its metadata does not tell " + first_few(absent) +
                    " (variants share tensor names, so this is not guessed; add the keys to the "
                    "file's __metadata__)");
  }
}

std::vector<NamedTensor> named_tensors(const Layout& layout, std::span<const float> flat,
                                       const std::string& prefix) {
  std::vector<NamedTensor> tensors;
  for (const auto& parameter : layout.parameters()) {
    tensors.push_back({prefix + parameter.name, parameter.shape,
                       flat.subspan(parameter.offset, parameter.count)});
  }
  return tensors;
}

std::vector<float> flat_tensors(const Safetensors& file, const Layout& layout,
                                const std::string& prefix) {
  TensorProblems problems;
  note_unfit(file, layout, prefix, problems);
  problems.refuse_if_any(file.where());
  std::vector<float> flat(layout.size());
  for (const auto& parameter : layout.parameters()) {
    const auto values = file.floats(prefix + parameter.name);
    std::copy(values.begin(), values.end(),
              flat.begin() + static_cast<std::ptrdiff_t>(parameter.offset));
  }
  return flat;
}

std::vector<float> null_text_of(const Safetensors& file, const Layout& layout) {
  const auto found = file.tensors().find(kNullTextName);
  if (found == file.tensors().end()) {
    throw DataError(file.where() + ": missing tensor " + std::string(kNullTextName));
  }
  if (found->second.shape != null_text_shape(layout)) {
    throw DataError(file.where() + ": " + std::string(kNullTextName) + " is " +
                    shape_text(found->second.shape) + " instead of " +
                    shape_text(null_text_shape(layout)));
  }
  return file.floats(kNullTextName);
}

WrittenFile write_model(const std::filesystem::path& path, const Layout& layout,
                        const Weights& weights) {
  auto tensors = named_tensors(layout, weights.flat, "");
  tensors.push_back({std::string(kNullTextName), null_text_shape(layout), weights.null_text});
  return write_safetensors(path, std::move(tensors), metadata_of(layout));
}

Weights read_model(const std::filesystem::path& path, const Layout& layout) {
  const auto file = Safetensors::read(path);
  check_metadata(file, layout);
  TensorProblems problems;
  note_unfit(file, layout, "", problems);
  note_unexpected(file, layout, problems);
  problems.refuse_if_any(file.where());
  return {flat_tensors(file, layout, ""), null_text_of(file, layout)};
}

}  // namespace evd::nn
