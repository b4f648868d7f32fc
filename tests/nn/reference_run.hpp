#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "nn/weight_set.hpp"
#include "support/temp_dir.hpp"

namespace evd::nn::test {

/// What a script of tests/nn computed with other people's networks: it is started as
/// `SCRIPT FOLDER ARGUMENT...` by Python with PyTorch, and writes FOLDER/out.safetensors.
class ReferenceRun {
 public:
  /// std::runtime_error with the script's output when it fails or takes longer.
  ReferenceRun(const std::string& script, const std::vector<std::string>& arguments,
               double timeout_s = 250);

  /// A copy of a tensor as it was written.
  [[nodiscard]] at::Tensor operator[](const std::string& name) const;
  [[nodiscard]] bool has(const std::string& name) const { return out_.tensors().contains(name); }
  [[nodiscard]] const WeightSet& out() const { return out_; }
  /// Other files that the script wrote.
  [[nodiscard]] std::filesystem::path file(const std::string& name) const {
    return *folder_ / name;
  }

 private:
  std::unique_ptr<evd::test::TempDir> folder_;
  WeightSet out_;
};

/// max |a - b| / max |b|; infinite when shapes differ or a is not finite.
[[nodiscard]] double error_of(const at::Tensor& a, const at::Tensor& b);

/// A seed of this run's own, told on standard output; EVD_TEST_SEED sets it.
[[nodiscard]] std::uint64_t fresh_seed();

}  // namespace evd::nn::test
