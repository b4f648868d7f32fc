#include "sql_campaign.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/staleness.hpp"
#include "shard/columns.hpp"
#include "shard/round_row.hpp"
#include "shard/training_rows.hpp"
#include "sql_parts.hpp"
#include "sql_tournament.hpp"

namespace evd::hands {
namespace {

using shard::ColumnKind;

std::string_view sql_type(ColumnKind kind) {
  switch (kind) {
    case ColumnKind::flag:
    case ColumnKind::int32:
    case ColumnKind::int64:
      return "INTEGER";
    case ColumnKind::float32:
    case ColumnKind::float64:
      return "REAL";
    case ColumnKind::blob:
      return "BLOB";
    default:
      return "TEXT";
  }
}

bool has_column_called(const shard::TableSchema& schema, std::string_view name) {
  return std::any_of(schema.columns.begin(), schema.columns.end(),
                     [&](const auto& column) { return column.name == name; });
}

std::vector<SqlColumn> sql_columns(const shard::TableSchema& schema) {
  std::vector<SqlColumn> columns;
  for (const auto& column : schema.columns)
    columns.push_back({column.name, sql_type(column.kind), column.info.unit, column.info.meaning,
                       column.kind == ColumnKind::blob, column.kind == ColumnKind::id});
  if (!has_column_called(schema, "stage"))
    columns.push_back({"stage", "TEXT", "", "stage of the result that the row is from", true});
  if (!has_column_called(schema, "round"))
    columns.push_back({"round", "INTEGER", "round", "of that result; -1 = start weights", true});
  columns.push_back({"result", "TEXT", "", "directory of that result in the campaign", true});
  if (schema.name == shard::table_name<shard::Image>()) columns.push_back(won_tournament_column());
  return columns;
}

// The values of the columns that sql_columns() adds.
std::vector<OwnedCell> same_for_all(const shard::TableSchema& schema, std::string_view stage,
                                    int round, const std::string& result) {
  std::vector<OwnedCell> cells;
  if (!has_column_called(schema, "stage")) cells.emplace_back(std::string(stage));
  if (!has_column_called(schema, "round")) cells.emplace_back(std::int64_t{round});
  cells.emplace_back(result);
  return cells;
}

std::vector<OwnedCell> cells_of(const shard::Round& row, const std::string& result) {
  std::vector<OwnedCell> cells;
  shard::for_each_value(row, [&]<class T>(std::string_view, const T& value, const auto&) {
    if constexpr (shard::kIsName<T>)
      cells.emplace_back(value.text);
    else if constexpr (shard::kIsText<T>)
      cells.emplace_back(value);
    else if constexpr (std::is_floating_point_v<T>)
      cells.emplace_back(static_cast<double>(value));
    else
      cells.emplace_back(static_cast<std::int64_t>(value));
  });
  cells.emplace_back(result);
  return cells;
}

const shard::FileEntry* set_file_of(const Published& result) {
  const auto& files = result.manifest.files;
  const auto found = std::find_if(files.begin(), files.end(),
                                  [](const auto& file) { return file.table == "samples"; });
  return found == files.end() ? nullptr : &*found;
}

}  // namespace

SqlCampaign::SqlCampaign(const run::Campaign& campaign, const SqlSources& sources,
                         Problems& problems)
    : campaign_(campaign),
      problems_(problems),
      results_(published_results(campaign, sources.retired, problems)) {
  add_samples(sources.set);
  winners_ = std::make_shared<Winners>(tables_.back());
  add_files<shard::Image>();
  add_files<shard::Answer>();
  add_files<shard::Pair>();
  add_files<shard::Call>();
  add_files<shard::Prompt>();
  add_files<shard::Step>();
  add_files<shard::Visit>();
  add_files<shard::Block>();
  add_files<shard::Validation>();
  add_files<shard::Feature>();
  add_files<shard::FeatureUse>();
  add_files<shard::Metric>();
  add_measured_elsewhere(tables_.back());
  add_rounds(campaign);
}

template <class Row>
SqlTable& SqlCampaign::add_table() {
  const auto& schema = schemas_.emplace_back(shard::schema_of<Row>());
  return tables_.emplace_back(std::string(schema.name), std::string(schema.grain),
                              sql_columns(schema), problems_);
}

template <class Row>
void SqlCampaign::add_files() {
  SqlTable& table = add_table<Row>();
  const auto& schema = schemas_.back();
  for (const auto& result : results_)
    for (const auto& file : result.manifest.files)
      if (file.table == schema.name) add_file(table, schema, result, file);
}

void SqlCampaign::add_file(SqlTable& table, const shard::TableSchema& schema,
                           const Published& result, const shard::FileEntry& file) {
  SqlTable::Open open =
      [path = result.directory / file.name, &schema, campaign = campaign_.id().hex(),
       same = same_for_all(schema, name(result.ref.stage), result.ref.round, result.name)] {
        return std::make_unique<FilePart>(path, schema, campaign, same);
      };
  if (schema.name == shard::table_name<shard::Image>())
    open = [open, &schema, own = table.columns().size() - 1, winners = winners_] {
      return std::make_unique<TournamentPart>(open(), schema, own, winners);
    };
  table.add_part(open, file.rows);
}

void SqlCampaign::add_samples(const std::optional<run::StageRef>& set) {
  SqlTable& table = add_table<shard::Sample>();
  const Published* chosen = nullptr;
  for (const auto& result : results_) {
    const bool wanted =
        set ? result.ref == *set
            : result.ref.stage == run::Stage::init || result.ref.stage == run::Stage::judge;
    if (wanted && !result.is_retired && set_file_of(result) != nullptr) chosen = &result;
  }
  if (chosen != nullptr)
    add_file(table, schemas_.back(), *chosen, *set_file_of(*chosen));
  else if (set)
    throw ConfigurationError(to_string(*set) + " is not finished, so there is no set of it yet; " +
                             "a look: evd status " + shell_word(campaign_.root().string()));
}

// DIR/metrics/*.h5: what other tools have measured. No stage's result, so no manifest lists it.
void SqlCampaign::add_measured_elsewhere(SqlTable& metrics) {
  std::vector<std::filesystem::path> files;
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(campaign_.root() / "metrics", none))
    if (entry.path().extension() == ".h5") files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  const auto& schema = schemas_.back();
  for (const auto& file : files)
    metrics.add_part(
        [file, &schema, campaign = campaign_.id().hex(),
         same = same_for_all(schema, "", 0, "metrics")] {
          return std::make_unique<FilePart>(file, schema, campaign, same);
        },
        0);
}

void SqlCampaign::add_rounds(const run::Campaign& campaign) {
  SqlTable& table = add_table<shard::Round>();
  run::Standings standings(campaign);
  std::vector<std::vector<OwnedCell>> rows;
  for (const auto& result : results_) try {
      const auto state =
          result.is_retired ? std::string_view("retired") : name_of(standings.of(result.ref).state);
      rows.push_back(cells_of(shard::round_row(result.manifest, state), result.name));
    } catch (const Error& error) {
      problems_.note(error.what());
    }
  const auto count = static_cast<std::int64_t>(rows.size());
  table.add_part([rows] { return std::make_unique<MemoryPart>(rows); }, count);
}

}  // namespace evd::hands
