#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace evd::nn {

/// What is wrong with the tensors of a file, told in one line however much it is.
class TensorProblems {
 public:
  void missing(std::string_view name);
  void misshapen(std::string_view name, std::span<const std::int64_t> is,
                 std::span<const std::int64_t> wanted);
  /// A type that holds no numbers with a point.
  void mistyped(std::string_view name, std::span<const std::int64_t> shape, std::string_view type);
  /// Nobody asked for it; its name comes from the file.
  void unexpected(std::string_view name);

  /// DataError with the first few of each kind, both shapes, and what to do; nothing when nothing
  /// was told. `where` is the file.
  void refuse_if_any(const std::string& where) const;

 private:
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
  std::vector<std::string> mistyped_;
  std::vector<std::string> unexpected_;
};

/// "[4,3,2]"
[[nodiscard]] std::string shape_text(std::span<const std::int64_t> shape);
/// The first four, and how many more there are.
[[nodiscard]] std::string first_few(const std::vector<std::string>& items);

}  // namespace evd::nn
