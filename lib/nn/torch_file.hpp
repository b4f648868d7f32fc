#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "nn/tensor_type.hpp"

namespace evd::nn {

/// A tensor of a file of torch.save: a view into a storage that others may share.
struct StoredTensor {
  TensorType type = TensorType::F32;
  std::vector<std::int64_t> shape;
  std::vector<std::int64_t> strides;  ///< in elements
  std::uint64_t offset = 0;           ///< in elements of the storage
  Bytes storage;

  [[nodiscard]] bool is_contiguous() const;
  /// Its elements, row-major and without gaps.
  [[nodiscard]] std::vector<std::byte> elements() const;
};

using StoredTensors = std::map<std::string, StoredTensor, std::less<>>;

/// The tensors of a .pth or .pt file of torch.save (since PyTorch 1.6), read without running what
/// its pickle asks for. They lie at the top or under `state_dict` and `state_dict_ema`, as in the
/// checkpoints of PixArt-alpha and EvolveDirector; what else lies there (optimizer, scheduler,
/// epoch) is passed over. `file` must outlive it. DataError, one line with `where`: a file of the
/// format before 1.6, of TorchScript, with code in its pickle, cut short, or with a tensor that
/// leaves its storage.
[[nodiscard]] std::map<std::string, StoredTensors, std::less<>> read_torch_file(
    Bytes file, const std::string& where);

/// The keys of the answer: the state dict at the top, and the names above.
inline constexpr std::string_view kTopSection;
inline constexpr std::string_view kStateDict = "state_dict";
inline constexpr std::string_view kStateDictEma = "state_dict_ema";

}  // namespace evd::nn
