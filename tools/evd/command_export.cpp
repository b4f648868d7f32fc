#include <array>
#include <fstream>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/campaign.hpp"
#include "shard/catalog.hpp"
#include "shard/export.hpp"
#include "shard/table.hpp"

namespace evd::hands {
namespace {

struct ExportOptions {
  std::filesystem::path directory;
  std::string set;
  std::filesystem::path csv;
  std::filesystem::path jsonl;
  std::filesystem::path images;
};

using Samples = std::vector<shard::Sample>;

// "-" is standard output. A file is written beside its name and renamed, as everything is.
template <class Write>
void write_to(const std::filesystem::path& path, Write write) {
  if (path == "-") {
    write(std::cout);
    return;
  }
  std::ostringstream text;
  write(text);
  fs::publish(path, text.view());
  std::cerr << "evd: wrote " << path.string() << "\n";
}

std::string extension_of(const std::string& mime) {
  if (mime == "image/jpeg") return ".jpg";
  if (mime == "image/webp") return ".webp";
  return ".png";
}

std::string csv_cell(std::string_view text) {
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + "\"";
}

// One file per target image, named by the sample, and index.csv beside them.
int export_images(const run::Campaign& campaign, const Samples& samples,
                  const std::filesystem::path& folder) {
  const shard::Catalog catalog(campaign.root());
  fs::make_directory(folder);
  std::string index = "file,id,image,teacher,prompt\n";
  std::size_t written = 0;
  std::size_t lost = 0;
  for (const auto& sample : samples) {
    if (sample.target_shard.is_none() || sample.target_row < 0) continue;
    try {
      const auto& rows = catalog.images(sample.target_shard);
      if (sample.target_row >= static_cast<std::int32_t>(rows.size()))
        throw DataError("sample " + sample.id.hex() + " points behind the end of its image file");
      const auto& image = rows[static_cast<std::size_t>(sample.target_row)];
      const auto bytes = catalog.bytes({sample.target_shard, sample.target_row});
      const std::string name = sample.id.hex() + extension_of(image.mime.text);
      fs::publish(folder / name, bytes);
      index += name + "," + sample.id.hex() + "," + image.id.hex() + "," +
               csv_cell(image.teacher.text) + "," + csv_cell(sample.prompt) + "\n";
      ++written;
    } catch (const DataError& error) {
      std::cerr << "evd: " << error.what() << "\n";
      ++lost;
    }
  }
  fs::publish(folder / "index.csv", std::string_view(index));
  std::cerr << "evd: wrote " << written << " images and index.csv to " << folder.string() << "\n";
  if (lost == 0) return 0;
  std::cerr << "evd: " << lost << " images could not be read; what is wrong: evd verify "
            << campaign.root().string() << "\n";
  return static_cast<int>(ExitCode::data);
}

run::StageRef parse_set(const std::string& text) {
  if (text == "init" || text == "start") return {run::Stage::init, 0};
  if (text.find_first_not_of("0123456789") != std::string::npos || text.empty() || text.size() > 6)
    throw UsageError("--set " + text + " is neither a round nor init");
  return {run::Stage::judge, std::stoi(text)};
}

int do_export(const ExportOptions& options) {
  const run::Campaign campaign(options.directory);
  const auto ref = parse_set(options.set);
  if (options.csv.empty() && options.jsonl.empty() && options.images.empty())
    throw UsageError("export to what? Give --csv FILE, --jsonl FILE or --images FOLDER");
  if (!campaign.manifest(ref))
    throw ConfigurationError(to_string(ref) + " is not finished, so there is no set of round " +
                             options.set + " yet; a look: evd status " + campaign.root().string());
  const auto samples = shard::read_table<shard::Sample>(campaign.set_file(ref));
  if (!options.csv.empty())
    write_to(options.csv,
             [&](std::ostream& out) { shard::write_csv<shard::Sample>(out, samples); });
  if (!options.jsonl.empty())
    write_to(options.jsonl,
             [&](std::ostream& out) { shard::write_jsonl<shard::Sample>(out, samples); });
  return options.images.empty() ? 0 : export_images(campaign, samples, options.images);
}

}  // namespace

Command add_export(CLI::App& app) {
  auto* sub =
      app.add_subcommand("export", "Write a set for other programs: CSV, JSON Lines, images");
  auto options = std::make_shared<ExportOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_option("--set", options->set, "Round whose judge wrote the set, or init")
      ->required()
      ->type_name("N");
  sub->add_option("--csv", options->csv, "All columns as CSV; - is standard output")
      ->type_name("FILE");
  sub->add_option("--jsonl", options->jsonl, "All columns as JSON Lines; - is standard output")
      ->type_name("FILE");
  sub->add_option("--images", options->images, "Target images as files, and index.csv")
      ->type_name("FOLDER");
  return {sub, [options] { return do_export(*options); }};
}

}  // namespace evd::hands
