#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "nn/tensor_type.hpp"

namespace evd::nn {

/// One tensor of a safetensors file.
struct TensorEntry {
  std::string dtype;                ///< F32, BF16, ...
  std::vector<std::int64_t> shape;  ///< row-major
  std::uint64_t begin = 0;          ///< bytes from the start of the data
  std::uint64_t end = 0;
};

/// A safetensors file in memory or mapped, checked on construction: header length, JSON, no
/// duplicate name, every size and offset, the tensors tile the data without hole or overlap.
/// DataError is one line with `where` and what is wrong. Copies share the bytes.
class Safetensors {
 public:
  Safetensors(std::vector<std::byte> bytes, std::string where);
  [[nodiscard]] static Safetensors read(const std::filesystem::path& path);
  /// Pages are read when they are touched: see fs::MappedFile.
  [[nodiscard]] static Safetensors map(const std::filesystem::path& path);

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
  [[nodiscard]] Sha256 digest() const { return sha256(bytes_); }
  /// Keeps what bytes() shows alive.
  [[nodiscard]] std::shared_ptr<const void> owner() const { return owner_; }

 private:
  Safetensors(std::shared_ptr<const void> owner, Bytes bytes, std::string where);

  std::shared_ptr<const void> owner_;
  Bytes bytes_;
  std::string where_;
  std::uint64_t data_ = 0;  ///< offset of the data
  std::map<std::string, TensorEntry, std::less<>> tensors_;
  std::map<std::string, std::string, std::less<>> metadata_;
};

/// A tensor to be written: elements are row-major, and must outlive the writing.
struct NamedTensor {
  NamedTensor(std::string name_, std::vector<std::int64_t> shape_, std::span<const float> values)
      : NamedTensor(std::move(name_), std::move(shape_), TensorType::F32, std::as_bytes(values)) {}
  NamedTensor(std::string name_, std::vector<std::int64_t> shape_, TensorType type_,
              Bytes elements_)
      : name(std::move(name_)), shape(std::move(shape_)), type(type_), elements(elements_) {}

  std::string name;
  std::vector<std::int64_t> shape;
  TensorType type;
  Bytes elements;
};

struct WrittenFile {
  Sha256 sha256;
  std::int64_t bytes = 0;
};

/// Publishes a file that the safetensors library reads; equal content gives equal bytes. Tensors
/// stand by element size, then name, so that each is aligned to its elements. `metadata` gets
/// format = "pt", which other loaders ask for.
WrittenFile write_safetensors(const std::filesystem::path& path, std::vector<NamedTensor> tensors,
                              std::map<std::string, std::string, std::less<>> metadata);

}  // namespace evd::nn
