#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/publish.hpp"
#include "row_writer.hpp"
#include "run/campaign.hpp"
#include "set_name.hpp"
#include "sql_campaign.hpp"
#include "sql_database.hpp"

namespace evd::hands {
namespace {

struct QueryOptions {
  std::filesystem::path directory;
  std::string sql;
  bool tables = false;
  std::string set;
  bool retired = false;
  bool csv = false;
  bool jsonl = false;
  std::filesystem::path out;

  [[nodiscard]] RowFormat format() const {
    return csv ? RowFormat::csv : jsonl ? RowFormat::jsonl : RowFormat::table;
  }
};

void write_rows(SqlDatabase::Rows& rows, RowFormat format, std::ostream& out) {
  const auto writer = make_row_writer(format, out, rows.names());
  std::vector<shard::Cell> cells(rows.names().size());
  while (rows.step()) {
    for (std::size_t i = 0; i < cells.size(); ++i) cells[i] = rows.at(i);
    writer->row(cells);
  }
  writer->finish();
}

// Every column of every table, one a row.
void write_tables(SqlCampaign& campaign, RowFormat format, std::ostream& out) {
  const auto writer =
      make_row_writer(format, out, {"table", "column", "type", "unit", "in *", "meaning"});
  for (const auto& table : campaign.tables()) {
    using Row = std::vector<shard::Cell>;
    const auto text = [](std::string_view value) { return shard::Cell(value); };
    writer->row(
        Row{text(table.name()), text(""), text(""), text(""), text(""), text(table.grain())});
    for (const auto& column : table.columns())
      writer->row(Row{text(table.name()), text(column.name), text(column.type), text(column.unit),
                      text(column.is_hidden ? "no" : "yes"), text(column.meaning)});
  }
  writer->finish();
}

void answer(SqlCampaign& campaign, const QueryOptions& options, std::ostream& out) {
  if (options.tables) return write_tables(campaign, options.format(), out);
  const SqlDatabase database(campaign.tables());
  try {
    auto rows = database.query(options.sql);
    write_rows(rows, options.format(), out);
  } catch (const UsageError& error) {
    throw UsageError(std::string(error.what()) + " (tables and columns: evd query " +
                     shell_word(options.directory.string()) + " --tables)");
  }
}

int do_query(const QueryOptions& options) {
  if (options.tables == !options.sql.empty())
    throw UsageError("query: give either a query in SQL or --tables");
  const run::Campaign root(options.directory);
  Problems problems;
  SqlSources sources;
  if (!options.set.empty()) sources.set = parse_set(options.set);
  if (options.retired) sources.retired = Retired::included;
  SqlCampaign campaign(root, sources, problems);
  if (options.out.empty()) {
    answer(campaign, options, std::cout);
  } else {
    std::ostringstream text;
    answer(campaign, options, text);
    fs::publish(options.out, text.view());
    std::cerr << "evd: wrote " << options.out.string() << "\n";
  }
  std::cout.flush();
  for (const auto& line : problems.lines()) std::cerr << "evd: left out: " << line << "\n";
  return problems.lines().empty() ? 0 : static_cast<int>(ExitCode::data);
}

}  // namespace

Command add_query(CLI::App& app) {
  auto* sub = app.add_subcommand("query", "Ask the tables of a campaign in SQL (SQLite's)");
  auto options = std::make_shared<QueryOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("SQL", options->sql, "'select teacher, count(*) from images group by 1'");
  sub->add_flag("--tables", options->tables, "List tables and columns, with unit and meaning");
  sub->add_option("--set", options->set,
                  "samples as the judge of this round left them, or init; default: the newest")
      ->type_name("N");
  sub->add_flag("--retired", options->retired, "Rows of results that a rerun set aside too");
  auto* csv = sub->add_flag("--csv", options->csv, "Comma-separated values");
  sub->add_flag("--jsonl", options->jsonl, "JSON Lines: one object a row")->excludes(csv);
  sub->add_option("--out", options->out, "Write to a file, which appears whole")->type_name("FILE");
  return {sub, [options] { return do_query(*options); }};
}

}  // namespace evd::hands
