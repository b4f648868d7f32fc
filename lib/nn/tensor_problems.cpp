#include "nn/tensor_problems.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::nn {

std::string shape_text(std::span<const std::int64_t> shape) {
  std::vector<std::string> sides;
  for (const auto side : shape) sides.push_back(std::to_string(side));
  return "[" + join(sides, ",") + "]";
}

std::string first_few(const std::vector<std::string>& items) {
  constexpr std::size_t kNamedInMessage = 4;
  const std::size_t count = std::min(items.size(), kNamedInMessage);
  std::vector<std::string> shown(items.begin(), items.begin() + std::ptrdiff_t(count));
  if (items.size() > count) {
    shown.push_back("and " + std::to_string(items.size() - count) + " more");
  }
  return join(shown, ", ");
}

void TensorProblems::missing(std::string_view name) { missing_.emplace_back(name); }

void TensorProblems::misshapen(std::string_view name, std::span<const std::int64_t> is,
                               std::span<const std::int64_t> wanted) {
  misshapen_.push_back(std::string(name) + " " + shape_text(is) + " instead of " +
                       shape_text(wanted));
}

void TensorProblems::mistyped(std::string_view name, std::span<const std::int64_t> shape,
                              std::string_view type) {
  mistyped_.push_back(std::string(name) + " " + shape_text(shape) + " is " + std::string(type));
}

void TensorProblems::unexpected(std::string_view name) { unexpected_.push_back(printable(name)); }

void TensorProblems::refuse_if_any(const std::string& where) const {
  std::vector<std::string> problems;
  if (!missing_.empty()) problems.push_back("missing tensors " + first_few(missing_));
  if (!misshapen_.empty()) problems.push_back("tensors of another shape: " + first_few(misshapen_));
  if (!mistyped_.empty()) {
    problems.push_back("tensors that are no numbers with a point: " + first_few(mistyped_) +
                       " (wanted: BF16, F16, F32 or F64)");
  }
  if (!unexpected_.empty()) problems.push_back("unexpected tensors " + first_few(unexpected_));
  if (problems.empty()) return;
  throw DataError(where + ": weights of another network: " + join(problems, "; ") +
                  " (compare the configuration with the file)");
}

}  // namespace evd::nn
