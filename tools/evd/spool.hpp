#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "paid_copies.hpp"

namespace evd::hands {

/// Segments of journals in which pictures lie twice: harvest takes those that it has published out
/// of them, unless it is killed just then. Intents, ends and costs stay.
class Spools {
 public:
  explicit Spools(const CurrentResults& current) : current_(current), copies_(current) {}

  /// All segments below calls/, in name order.
  [[nodiscard]] std::vector<std::filesystem::path> segments() const;
  /// The segment without the pictures that a result in force holds whole, each compared; nothing
  /// when there is none to take out, or when it is damaged.
  [[nodiscard]] std::optional<std::string> emptied(const std::filesystem::path& segment);

 private:
  const CurrentResults& current_;
  PaidCopies copies_;
  bool loaded_ = false;
};

}  // namespace evd::hands
