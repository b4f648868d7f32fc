#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "run/campaign.hpp"
#include "shard/catalog.hpp"
#include "shard/table.hpp"

namespace evd::report {

/// A finished stage.
struct StageResult {
  run::StageRef ref;
  std::filesystem::path directory;
  shard::Manifest manifest;
};

/// The published files of a campaign. What is not there yet is empty, what is damaged is named in
/// `problems` and left out: a report is also for campaigns that are half done or half broken.
class Source {
 public:
  explicit Source(const run::Campaign& campaign);

  [[nodiscard]] const run::Campaign& campaign() const { return campaign_; }
  [[nodiscard]] const shard::Catalog& catalog() const { return catalog_; }
  /// Rounds that have begun.
  [[nodiscard]] int rounds() const { return rounds_; }
  /// Finished stages, start first, then round by round.
  [[nodiscard]] const std::vector<StageResult>& stages() const { return stages_; }
  [[nodiscard]] const StageResult* stage(run::Stage stage, int round) const;

  /// Rows of one table file of a finished stage, or of any file.
  template <class Row>
  [[nodiscard]] std::vector<Row> rows(const std::filesystem::path& path) {
    try {
      if (std::filesystem::exists(path)) return shard::read_table<Row>(path);
    } catch (const Error& error) {
      problems_.emplace_back(error.what());
    }
    return {};
  }
  /// Rows of a stage's file; nothing while the stage is not finished.
  template <class Row>
  [[nodiscard]] std::vector<Row> rows(run::Stage which, int round, const std::string& file) {
    const StageResult* found = stage(which, round);
    return found == nullptr ? std::vector<Row>{} : rows<Row>(found->directory / file);
  }
  void note_problem(const std::string& what) { problems_.push_back(what); }
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }

 private:
  void find_stage(run::Stage stage, int round);

  const run::Campaign& campaign_;
  shard::Catalog catalog_;
  int rounds_;
  std::vector<StageResult> stages_;
  std::vector<std::string> problems_;
};

}  // namespace evd::report
