#include "nn/weight_set.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/mapped_file.hpp"
#include "nn/safetensors.hpp"
#include "nn/tensor_problems.hpp"
#include "nn/torch_file.hpp"

namespace evd::nn {
namespace {

using Json = nlohmann::json;
using Owners = std::vector<std::shared_ptr<const void>>;
constexpr std::string_view kIndexEnding = ".safetensors.index.json";

/// Keeps a copy of the elements: from there on they may be the tensor's.
Bytes keep(std::vector<std::byte> elements, Owners& owners) {
  auto copy = std::make_shared<const std::vector<std::byte>>(std::move(elements));
  const Bytes bytes(*copy);
  owners.push_back(std::move(copy));
  return bytes;
}

// Early writers of safetensors and repacked archives do not align elements to their size.
Bytes aligned(Bytes elements, TensorType type, Owners& owners) {
  if (reinterpret_cast<std::uintptr_t>(elements.data()) % bytes_of(type) == 0) return elements;
  return keep({elements.begin(), elements.end()}, owners);
}

void add(const Safetensors& file, WeightSet::Tensors& tensors, Owners& owners) {
  for (const auto& [name, entry] : file.tensors()) {
    const auto type = tensor_type(entry.dtype);
    if (!type) {
      throw DataError(file.where() + ": tensor " + printable(name) + " is " + entry.dtype +
                      " (F64, F32, BF16, F16, whole numbers and truth values are read)");
    }
    tensors[name] = {*type, entry.shape, aligned(file.bytes(name), *type, owners)};
  }
  owners.push_back(file.owner());
}

// name -> file, as transformers and diffusers write it.
std::map<std::string, std::string> weight_map(const std::filesystem::path& index) {
  const auto refuse = [&](const std::string& problem) {
    throw DataError(index.string() + ": no index of safetensors shards (" + problem + ")");
  };
  const Json json = Json::parse(fs::read_text(index), nullptr, false);
  if (!json.is_object() || !json.contains("weight_map") || !json["weight_map"].is_object()) {
    refuse("it has no weight_map");
  }
  std::map<std::string, std::string> files;
  for (const auto& [name, file] : json["weight_map"].items()) {
    if (!file.is_string()) refuse("the file of " + name + " is no text");
    const auto text = file.get<std::string>();
    // An index that came from elsewhere must not point out of its folder.
    if (text.empty() || text.find('/') != std::string::npos || text == "..") {
      refuse("the file of " + name + " lies elsewhere: " + text);
    }
    files[name] = text;
  }
  return files;
}

void add_shards(const std::filesystem::path& index, WeightSet::Tensors& tensors, Owners& owners) {
  const auto files = weight_map(index);
  std::set<std::string> shards;
  for (const auto& [name, file] : files) shards.insert(file);
  for (const auto& shard : shards) {
    const auto file = Safetensors::map(index.parent_path() / shard);
    for (const auto& [name, entry] : file.tensors()) {
      const auto found = files.find(name);
      if (found == files.end() || found->second != shard) {
        throw DataError(file.where() + ": tensor " + name + " stands in another file of " +
                        index.filename().string());
      }
    }
    add(file, tensors, owners);
  }
  for (const auto& [name, file] : files) {
    if (!tensors.contains(name)) {
      throw DataError(index.string() + ": tensor " + name + " is not in " + file);
    }
  }
}

void add_torch(const std::filesystem::path& path, std::string_view section,
               WeightSet::Tensors& tensors, Owners& owners) {
  const auto file = std::make_shared<const fs::MappedFile>(path);
  const auto sections = read_torch_file(file->bytes(), path.string());
  auto found = sections.find(section.empty() ? kTopSection : section);
  if (found == sections.end() && section.empty()) found = sections.find(kStateDict);
  if (found == sections.end()) {
    std::vector<std::string> names;
    for (const auto& [name, stored] : sections) names.push_back(name.empty() ? "(top)" : name);
    throw DataError(path.string() + ": no state dict called " +
                    std::string(section.empty() ? kStateDict : section) + " (it has " +
                    join(names, ", ") + "; choose one with --section)");
  }
  owners.push_back(file);
  for (const auto& [name, stored] : found->second) {
    WeightTensor& tensor = tensors[name];
    tensor.type = stored.type;
    tensor.shape = stored.shape;
    if (!stored.is_contiguous()) {
      tensor.elements = keep(stored.elements(), owners);
      continue;
    }
    const std::size_t size = bytes_of(stored.type);
    std::size_t bytes = size;
    for (const auto side : stored.shape) bytes *= static_cast<std::size_t>(side);
    if (bytes == 0) continue;
    tensor.elements =
        aligned(stored.storage.subspan(stored.offset * size, bytes), stored.type, owners);
  }
}

bool is_torch(const std::filesystem::path& path) {
  const auto ending = path.extension();
  return ending == ".pth" || ending == ".pt" || ending == ".bin";
}

// Files of weights under other names: `model.fp16.safetensors`, `Edgen.pth`. Of shards, the index.
std::vector<std::filesystem::path> other_files(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> files;
  std::vector<std::filesystem::path> indices;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) {
    const std::string name = entry.path().filename().string();
    if (name.starts_with(".") || name == "null_text.safetensors") continue;
    if (name.ends_with(kIndexEnding)) {
      indices.push_back(entry.path());
    } else if (entry.path().extension() == ".safetensors" || is_torch(entry.path())) {
      files.push_back(entry.path());
    }
  }
  auto& found = indices.empty() ? files : indices;
  std::sort(found.begin(), found.end());
  return found;
}

std::filesystem::path file_in(const std::filesystem::path& folder) {
  constexpr std::array<std::string_view, 6> kNames = {
      "model.safetensors",
      "model.safetensors.index.json",
      "diffusion_pytorch_model.safetensors",
      "diffusion_pytorch_model.safetensors.index.json",
      "pytorch_model.bin",
      "diffusion_pytorch_model.bin"};
  std::vector<std::filesystem::path> found;
  for (const auto name : kNames) {
    if (std::filesystem::exists(folder / name)) found.push_back(folder / name);
  }
  if (found.empty()) found = other_files(folder);
  if (found.size() == 1) return found.front();
  std::vector<std::string> names;
  for (const auto& path : found) names.push_back(path.filename().string());
  if (found.empty()) {
    throw DataError(folder.string() + ": no weights in this folder (looked for " +
                    join(std::vector<std::string>(kNames.begin(), kNames.end()), ", ") +
                    ", then for a single .safetensors, .pth, .pt or .bin; name the file itself)");
  }
  throw DataError(folder.string() + ": several sets of weights (" + join(names, ", ") +
                  "; name the file itself)");
}

bool is_floating(TensorType type) {
  return type == TensorType::F32 || type == TensorType::BF16 || type == TensorType::F16 ||
         type == TensorType::F64;
}

}  // namespace

WeightSet WeightSet::open(const std::filesystem::path& path, std::string_view section) {
  if (std::filesystem::is_directory(path)) return open(file_in(path), section);
  WeightSet set;
  set.where_ = path.string();
  const std::string name = path.filename().string();
  if (!is_torch(path) && !section.empty()) {
    throw UsageError(path.string() + ": --section " + std::string(section) +
                     " is for files of torch.save (.pth, .pt, .bin); leave it out");
  }
  if (name.ends_with(kIndexEnding)) {
    add_shards(path, set.tensors_, set.owners_);
  } else if (is_torch(path)) {
    add_torch(path, section, set.tensors_, set.owners_);
  } else {
    const auto file = Safetensors::map(path);
    set.metadata_ = file.metadata();
    add(file, set.tensors_, set.owners_);
  }
  return set;
}

std::vector<std::string> WeightSet::sections(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return sections(file_in(path));
  if (!is_torch(path)) return {};
  const fs::MappedFile file(path);
  std::vector<std::string> names;
  for (const auto& [name, stored] : read_torch_file(file.bytes(), path.string())) {
    names.push_back(name);
  }
  return names;
}

const WeightTensor& WeightSet::at(std::string_view name,
                                  std::span<const std::int64_t> shape) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw DataError(where_ + ": missing tensor " + std::string(name));
  if (!std::equal(shape.begin(), shape.end(), found->second.shape.begin(),
                  found->second.shape.end())) {
    throw DataError(where_ + ": tensor " + std::string(name) + " is " +
                    shape_text(found->second.shape) + " instead of " + shape_text(shape));
  }
  return found->second;
}

WeightSet WeightSet::with(Tensors tensors, std::shared_ptr<const void> owner) const {
  WeightSet other = *this;
  other.tensors_ = std::move(tensors);
  if (owner) other.owners_.push_back(std::move(owner));
  return other;
}

WeightSet WeightSet::with(Metadata metadata) const {
  WeightSet other = *this;
  other.metadata_ = std::move(metadata);
  return other;
}

void check_tensors(const WeightSet& set, std::span<const WantedTensor> wanted,
                   std::span<const std::string_view> ignored) {
  TensorProblems problems;
  std::set<std::string_view> known(ignored.begin(), ignored.end());
  for (const auto& tensor : wanted) {
    known.insert(tensor.name);
    const auto found = set.tensors().find(tensor.name);
    if (found == set.tensors().end()) {
      problems.missing(tensor.name);
      continue;
    }
    const auto& [type, shape, elements] = found->second;
    if (shape != tensor.shape) problems.misshapen(tensor.name, shape, tensor.shape);
    if (!is_floating(type)) problems.mistyped(tensor.name, tensor.shape, name_of(type));
  }
  for (const auto& [name, tensor] : set.tensors()) {
    if (!known.contains(name)) problems.unexpected(name);
  }
  problems.refuse_if_any(set.where());
}

}  // namespace evd::nn
