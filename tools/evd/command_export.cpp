#include <algorithm>
#include <fstream>
#include <iostream>
#include <memory>
#include <sstream>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "export_targets.hpp"
#include "fs/publish.hpp"
#include "run/campaign.hpp"
#include "set_name.hpp"
#include "shard/export.hpp"
#include "shard/table.hpp"
#include "sql_campaign.hpp"
#include "sql_database.hpp"

namespace evd::hands {
namespace {

struct ExportOptions {
  std::filesystem::path directory;
  std::string set;
  std::string where;
  std::filesystem::path csv;
  std::filesystem::path jsonl;
  std::filesystem::path images;
  std::filesystem::path webdataset;
};

using Samples = std::vector<shard::Sample>;

// "-" is standard output. A file is written beside its name and renamed, as everything is.
template <class Write>
void write_to(const std::filesystem::path& path, Write write) {
  if (path == "-") {
    write(std::cout);
    return;
  }
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored) && !std::filesystem::is_regular_file(path, ignored) &&
      !std::filesystem::is_directory(path, ignored)) {
    std::ofstream device(path);  // or a pipe: nothing that could be replaced
    write(device);
    if (!device.flush()) throw IoError("write to " + path.string() + ": it does not take any more");
    return;
  }
  std::ostringstream text;
  write(text);
  fs::publish(path, text.view());
  std::cerr << "evd: wrote " << path.string() << "\n";
}

// The samples for which a condition in SQL is true, in their order in the file. The condition may
// ask all tables of the campaign.
Samples selected(const run::Campaign& campaign, const run::StageRef& set, const std::string& where,
                 const Samples& all, Problems& problems) {
  SqlSources sources;
  sources.set = set;
  SqlCampaign tables(campaign, sources, problems);
  const SqlDatabase database(tables.tables());
  std::vector<std::uint32_t> rows;
  // The line end keeps a comment in the condition from reaching the bracket.
  const std::string before = "SELECT rowid FROM samples WHERE (";
  auto found = database.query(before + where + "\n)", before.size());
  while (found.step()) {
    const auto cell = found.at(0);
    if (const auto* id = std::get_if<std::int64_t>(&cell)) rows.push_back(RowAddress::of(*id).row);
  }
  std::sort(rows.begin(), rows.end());
  rows.erase(std::unique(rows.begin(), rows.end()), rows.end());
  Samples chosen;
  for (const auto row : rows)
    if (row < all.size()) chosen.push_back(all[row]);
  std::cerr << "evd: " << chosen.size() << " of " << all.size() << " samples\n";
  return chosen;
}

int do_export(const ExportOptions& options) {
  const run::Campaign campaign(options.directory);
  const auto ref = parse_set(options.set);
  if (options.csv.empty() && options.jsonl.empty() && options.images.empty() &&
      options.webdataset.empty())
    throw UsageError(
        "export to what? Give --csv FILE, --jsonl FILE, --images FOLDER or --webdataset FILE");
  if (!campaign.manifest(ref))
    throw ConfigurationError(to_string(ref) + " is not finished, so there is no set of round " +
                             options.set + " yet; a look: evd status " +
                             shell_word(campaign.root().string()));
  Problems problems;
  auto samples = shard::read_table<shard::Sample>(campaign.set_file(ref));
  if (options.where.empty())
    std::cerr << "evd: " << samples.size() << " samples\n";
  else
    samples = selected(campaign, ref, options.where, samples, problems);
  if (!options.csv.empty())
    write_to(options.csv,
             [&](std::ostream& out) { shard::write_csv<shard::Sample>(out, samples); });
  if (!options.jsonl.empty())
    write_to(options.jsonl,
             [&](std::ostream& out) { shard::write_jsonl<shard::Sample>(out, samples); });
  if (!options.images.empty()) export_images(campaign, samples, options.images, problems);
  if (!options.webdataset.empty()) {
    const auto written =
        export_webdataset(campaign, samples, options.webdataset, kMostArchiveBytes, problems);
    std::cerr << "evd: " << written << " samples have a picture\n";
  }
  for (const auto& line : problems.lines()) std::cerr << "evd: left out: " << line << "\n";
  if (problems.lines().empty()) return 0;
  std::cerr << "evd: what is wrong: evd verify " << shell_word(campaign.root().string()) << "\n";
  return static_cast<int>(ExitCode::data);
}

}  // namespace

Command add_export(CLI::App& app) {
  auto* sub = app.add_subcommand(
      "export", "Write a set for other programs: CSV, JSON Lines, images, WebDataset");
  auto options = std::make_shared<ExportOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("--set", options->set, "Round whose judge wrote the set, or init")
      ->required()
      ->type_name("N");
  sub->add_option("--where", options->where,
                  "Only samples for which this SQL is true: \"category_text and margin > 1\"; "
                  "columns: evd query DIR --tables")
      ->type_name("SQL");
  sub->add_option("--csv", options->csv, "All columns as CSV; - is standard output")
      ->type_name("FILE");
  sub->add_option("--jsonl", options->jsonl, "All columns as JSON Lines; - is standard output")
      ->type_name("FILE");
  sub->add_option("--images", options->images, "Target images as files, and index.csv")
      ->type_name("FOLDER");
  sub->add_option("--webdataset", options->webdataset,
                  "Target images, prompts and rows as tar; from 256 MiB on several, numbered")
      ->type_name("FILE");
  return {sub, [options] { return do_export(*options); }};
}

}  // namespace evd::hands
