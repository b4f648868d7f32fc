#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"

namespace evd::nn {

/// One tensor of a safetensors file.
struct TensorEntry {
  std::string dtype;                ///< F32, BF16, ...
  std::vector<std::int64_t> shape;  ///< row-major
  std::uint64_t begin = 0;          ///< bytes from the start of the data
  std::uint64_t end = 0;
};

/// A safetensors file in memory, checked on construction: header length, JSON, no duplicate name,
/// every size and offset, the tensors tile the data without hole or overlap. DataError is one line
/// with `where` and what is wrong.
class Safetensors {
 public:
  Safetensors(std::vector<std::byte> bytes, std::string where);
  [[nodiscard]] static Safetensors read(const std::filesystem::path& path);

  [[nodiscard]] const std::map<std::string, TensorEntry, std::less<>>& tensors() const {
    return tensors_;
  }
  [[nodiscard]] const std::map<std::string, std::string, std::less<>>& metadata() const {
    return metadata_;
  }
  [[nodiscard]] const std::string& where() const { return where_; }
  /// Values of a tensor as floats; F32, F16 and BF16 are read. DataError otherwise.
  [[nodiscard]] std::vector<float> floats(std::string_view name) const;
  /// Elements of a tensor as they lie in the file; DataError when there is none of that name.
  [[nodiscard]] Bytes bytes(std::string_view name) const;
  /// SHA-256 of the file's bytes.
  [[nodiscard]] Sha256 digest() const { return sha256(Bytes(bytes_)); }

 private:
  std::vector<std::byte> bytes_;
  std::string where_;
  std::uint64_t data_ = 0;  ///< offset of the data
  std::map<std::string, TensorEntry, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

/// A tensor to be written, as F32.
struct NamedTensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::span<const float> values;
};

struct WrittenFile {
  Sha256 sha256;
  std::int64_t bytes = 0;
};

/// Publishes a file that the safetensors library reads; equal content gives equal bytes.
/// `metadata` gets format = "pt", which other loaders ask for.
WrittenFile write_safetensors(const std::filesystem::path& path, std::vector<NamedTensor> tensors,
                              std::map<std::string, std::string, std::less<>> metadata);

}  // namespace evd::nn
