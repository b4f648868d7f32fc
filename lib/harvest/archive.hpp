#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "shard/catalog.hpp"
#include "shard/rows.hpp"
#include "teacher/journal.hpp"

namespace evd::harvest {

/// All that was ever answered in a campaign: the journals, and the published results, retired ones
/// too. What stands whole in both is taken from the journals.
class Archive {
 public:
  /// `known_files` as in teacher::Journals. Published results are read when they are first needed.
  explicit Archive(const std::filesystem::path& campaign,
                   const std::vector<std::string>& known_files = {});

  struct Found {
    shard::Outcome outcome = shard::Outcome::open;
    std::optional<shard::ImageLocation> published;  ///< nothing = it stands in a journal
    std::uint64_t bytes = 0;                        ///< of the picture, in a journal
  };
  /// The best final answer for a key; nothing when there is none.
  [[nodiscard]] std::optional<Found> find(const RequestKey& key) const;
  /// Whether anything was ever sent for it, or is published.
  [[nodiscard]] bool knows(const RequestKey& key) const;
  /// Reads journals that have come since, `known_files` among them.
  void read_new(const std::vector<std::string>& known_files) { journals_->read_new(known_files); }
  /// Gives up the journal's answer for a key if it is damaged; what was wrong, or nothing.
  [[nodiscard]] std::optional<std::string> drop_if_damaged(const RequestKey& key);
  /// Whether a published result holds a picture for the key.
  [[nodiscard]] bool is_published(const RequestKey& key) const;
  /// The published row of a key, picture included; nothing when there is none.
  [[nodiscard]] std::optional<shard::Image> published_row(const RequestKey& key) const;
  /// The picture's size in bytes.
  [[nodiscard]] std::uint64_t picture_bytes(const Found& found) const;

  [[nodiscard]] std::shared_ptr<const teacher::Journals> journals() const { return journals_; }
  [[nodiscard]] const shard::Catalog& catalog() const;

 private:
  std::filesystem::path campaign_;
  std::shared_ptr<teacher::Journals> journals_;
  mutable std::unique_ptr<const shard::Catalog> catalog_;
};

}  // namespace evd::harvest
