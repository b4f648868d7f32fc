#include <algorithm>
#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "run/campaign.hpp"
#include "shard/table.hpp"
#include "shard/verify.hpp"
#include "teacher/journal.hpp"

namespace evd::hands {
namespace {

void decode_picture(const shard::Image& row, Bytes bytes) {
  const auto picture = image::decode(bytes);
  if (picture.width != row.width || picture.height != row.height)
    throw DataError("is " + std::to_string(picture.width) + " x " + std::to_string(picture.height) +
                    " px, but its row says " + std::to_string(row.width) + " x " +
                    std::to_string(row.height));
}

// Every directory below `root` that holds a MANIFEST.json, retired ones too, in name order.
std::vector<std::filesystem::path> results(const std::filesystem::path& root) {
  std::vector<std::filesystem::path> found;
  const auto options = std::filesystem::directory_options::skip_permission_denied;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root, options))
    if (entry.path().filename() == "MANIFEST.json") found.push_back(entry.path().parent_path());
  std::sort(found.begin(), found.end());
  return found;
}

class Check {
 public:
  Check(const std::filesystem::path& directory, shard::Depth depth)
      : campaign_(directory), depth_(depth) {}

  int go() {
    for (const auto& result : results(campaign_.root())) check_result(result);
    check_configurations();
    if (depth_ == shard::Depth::deep) {
      check_metrics();
      check_journals();
    }
    return summary();
  }

 private:
  void report(const std::string& problem) {
    std::cout << problem << "\n";
    ++problems_;
  }
  // A problem in one file never hides those of the next.
  template <class Act>
  void guarded(Act act) {
    try {
      act();
    } catch (const std::exception& error) {
      report(error.what());
    }
  }

  void check_result(const std::filesystem::path& result) {
    const auto one = shard::verify_directory(result, depth_, decode_picture);
    ++directories_;
    files_ += one.files;
    bytes_ += one.bytes;
    rows_ += one.rows;
    pictures_ += one.pictures;
    for (const auto& problem : one.problems) report(problem);
  }

  // No manifest lists what follows: it is outside the results, or changes while these stay.
  void check_configurations() {
    for (const auto& [round, path] : campaign_.config_files())
      guarded([&] {
        ++files_;
        static_cast<void>(run::parse_config(fs::read_text(path), path.string()));
      });
  }
  void check_metrics() {
    std::error_code none;
    for (const auto& entry :
         std::filesystem::directory_iterator(campaign_.root() / "metrics", none))
      if (entry.path().extension() == ".h5")
        guarded([&] {
          ++files_;
          rows_ += std::ssize(shard::read_table<shard::Metric>(entry.path()));
        });
  }
  void check_journals() {
    guarded([&] {
      const teacher::Journals journals(campaign_.calls());
      for (const auto& problem : journals.problems()) report(problem);
      for (const auto& [key, record] : journals.records())
        guarded([&] { answers_ += journals.reply(key).has_value() ? 1 : 0; });
    });
  }

  [[nodiscard]] int summary() const {
    std::cout << directories_ << " results, " << files_ << " files, "
              << human_bytes(static_cast<double>(bytes_));
    if (depth_ == shard::Depth::deep)
      std::cout << ", " << rows_ << " rows, " << pictures_ << " pictures, " << answers_
                << " recorded answers";
    std::cout << ": "
              << (problems_ == 0
                      ? std::string("all well")
                      : std::to_string(problems_) + (problems_ == 1 ? " problem" : " problems"))
              << "\n";
    if (problems_ == 0) return 0;
    std::cerr
        << "evd: a damaged result is made again by its stage with --rerun; recorded answers are "
           "not paid again\n";
    return static_cast<int>(ExitCode::data);
  }

  run::Campaign campaign_;
  shard::Depth depth_;
  std::size_t directories_ = 0;
  std::int64_t files_ = 0;
  std::int64_t bytes_ = 0;
  std::int64_t rows_ = 0;
  std::int64_t pictures_ = 0;
  std::int64_t answers_ = 0;
  std::size_t problems_ = 0;
};

}  // namespace

Command add_verify(CLI::App& app) {
  auto* sub =
      app.add_subcommand("verify", "Check every manifest, checksum, schema and configuration");
  auto directory = std::make_shared<std::filesystem::path>();
  auto deep = std::make_shared<bool>(false);
  sub->add_option("DIR", *directory, "Campaign directory")->required();
  sub->add_flag("--deep", *deep, "Read every row, picture and recorded answer too");
  return {sub, [directory, deep] {
            return Check(*directory, *deep ? shard::Depth::deep : shard::Depth::sums).go();
          }};
}

}  // namespace evd::hands
