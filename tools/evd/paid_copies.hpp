#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "current_results.hpp"
#include "shard/table.hpp"
#include "teacher/journal.hpp"

namespace evd::hands {

/// What was paid for and stands whole in a result in force or in a journal. What is asked of a
/// result that was set aside: does it hold anything that stands nowhere else?
class PaidCopies {
 public:
  /// `current` must outlive it.
  explicit PaidCopies(const CurrentResults& current) : current_(current) {}
  /// Reads what results in force hold: to be done first. DataError or IoError when one cannot be
  /// read.
  void load_pictures();
  void load_answers(const run::StageRef& ref);

  /// Pictures, refusals and final failures in this file of images that stand nowhere else with the
  /// same bytes. Each copy is read and its checksum compared.
  [[nodiscard]] std::int64_t pictures_only_in(const std::filesystem::path& images);
  /// Whether the picture with these bytes stands whole in a file that was read.
  [[nodiscard]] bool holds_picture(const RequestKey& key, const Sha256& bytes);
  /// Replies in this file of answers to the questions of `ref` that stand nowhere else with the
  /// same text.
  [[nodiscard]] std::int64_t answers_only_in(const run::StageRef& ref,
                                             const std::filesystem::path& answers);
  /// These files stay: what they hold stands elsewhere from now on.
  void keep_pictures(const std::filesystem::path& images);
  void keep_answers(const run::StageRef& ref, const std::filesystem::path& answers);

 private:
  struct Place {
    std::size_t file = 0;
    std::int64_t row = 0;
    shard::Outcome outcome = shard::Outcome::open;
  };
  /// Best outcome of a reply, by a digest of key and text: a question may have been answered twice.
  using Replies = std::unordered_map<Sha256, shard::Outcome>;

  [[nodiscard]] bool is_published(const shard::Image& row);
  [[nodiscard]] bool is_recorded(const RequestKey& key, shard::Outcome outcome,
                                 const std::function<bool(const shard::Blob&)>& is_same);
  [[nodiscard]] const teacher::Journals& journals();

  const CurrentResults& current_;
  std::vector<std::filesystem::path> files_;
  std::unordered_map<ImageId, Place> pictures_;
  std::optional<std::pair<std::size_t, shard::Table<shard::Image>>> open_;
  std::map<run::StageRef, Replies> replies_;
  std::optional<teacher::Journals> journals_;
};

}  // namespace evd::hands
