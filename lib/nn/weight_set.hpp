#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "nn/tensor_problems.hpp"
#include "nn/tensor_type.hpp"

namespace evd::nn {

/// One tensor of a set of weights, row-major without gaps.
struct WeightTensor {
  TensorType type = TensorType::F32;
  std::vector<std::int64_t> shape;
  Bytes elements;  ///< little-endian; lives as long as its set
};

/// A name and the shape that a network asks of it.
struct WantedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
};

/// The weights of one network as users have them on disk, mapped, so that nothing is read before it
/// is used. Copies share the mapping.
class WeightSet {
 public:
  using Tensors = std::map<std::string, WeightTensor, std::less<>>;
  using Metadata = std::map<std::string, std::string, std::less<>>;

  /// `path` is a .safetensors file, a `*.safetensors.index.json` with its shards beside it, a file
  /// of torch.save (.pth, .pt, .bin), or a folder that holds exactly one of these under the names
  /// that diffusers and transformers write, or failing those exactly one file of any name but
  /// null_text.safetensors. `section` names the state dict of a .pth that has
  /// several; empty = the top one, or `state_dict`. DataError: one line, what is wrong and where.
  [[nodiscard]] static WeightSet open(const std::filesystem::path& path,
                                      std::string_view section = {});

  /// The state dicts of a file of torch.save, "" = the top; none for other files. `path` as above.
  [[nodiscard]] static std::vector<std::string> sections(const std::filesystem::path& path);

  [[nodiscard]] const Tensors& tensors() const { return tensors_; }
  [[nodiscard]] const Metadata& metadata() const { return metadata_; }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// The tensor of this name and shape; DataError that tells both shapes.
  [[nodiscard]] const WeightTensor& at(std::string_view name,
                                       std::span<const std::int64_t> shape) const;

  /// The same weights under other names: what a reader of another layout makes of them.
  [[nodiscard]] WeightSet with(Tensors tensors, std::shared_ptr<const void> owner) const;
  /// The same tensors with other metadata.
  [[nodiscard]] WeightSet with(Metadata metadata) const;

 private:
  Tensors tensors_;
  Metadata metadata_;
  std::string where_;
  std::vector<std::shared_ptr<const void>> owners_;
};

/// DataError that names what is missing, what has another shape (both shapes) or is no floating
/// point number, and what nobody asked for; `ignored` may be there or not.
void check_tensors(const WeightSet& set, std::span<const WantedTensor> wanted,
                   std::span<const std::string_view> ignored = {});

}  // namespace evd::nn
