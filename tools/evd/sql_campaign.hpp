#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <vector>

#include "published.hpp"
#include "sql_table.hpp"
#include "sql_tournament.hpp"

namespace evd::hands {

struct SqlSources {
  /// Judge (or init) whose set is `samples`; the newest when nothing.
  std::optional<run::StageRef> set;
  Retired retired = Retired::left_out;
};

/// The tables of FORMAT.md over the published results of a campaign. Behind its own columns a table
/// has `stage` and `round` of the result where it lacks them, and `result`, its directory; these
/// and pictures are no part of `*`.
class SqlCampaign {
 public:
  /// ConfigurationError when the set asked for is not there.
  SqlCampaign(const run::Campaign& campaign, const SqlSources& sources, Problems& problems);

  [[nodiscard]] std::deque<SqlTable>& tables() { return tables_; }

 private:
  template <class Row>
  SqlTable& add_table();
  template <class Row>
  void add_files();
  void add_file(SqlTable& table, const shard::TableSchema& schema, const Published& result,
                const shard::FileEntry& file);
  void add_samples(const std::optional<run::StageRef>& set);
  void add_measured_elsewhere(SqlTable& metrics);
  void add_rounds(const run::Campaign& campaign);

  const run::Campaign& campaign_;
  Problems& problems_;
  std::vector<Published> results_;
  std::deque<shard::TableSchema> schemas_;
  std::deque<SqlTable> tables_;
  std::shared_ptr<Winners> winners_;
};

}  // namespace evd::hands
