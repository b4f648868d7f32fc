#include <iostream>
#include <memory>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "image/image.hpp"
#include "run/campaign.hpp"
#include "shard/verify.hpp"

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

int verify(const std::filesystem::path& directory, shard::Depth depth) {
  const run::Campaign campaign(directory);
  shard::Verified total;
  std::size_t directories = 0;
  for (const auto& result : results(campaign.root())) {
    const auto one = shard::verify_directory(result, depth, decode_picture);
    ++directories;
    total.files += one.files;
    total.bytes += one.bytes;
    total.rows += one.rows;
    total.pictures += one.pictures;
    for (const auto& problem : one.problems) {
      std::cout << problem << "\n";
      total.problems.push_back(problem);
    }
  }
  std::cout << directories << " results, " << total.files << " files, "
            << human_bytes(static_cast<double>(total.bytes));
  if (depth == shard::Depth::deep)
    std::cout << ", " << total.rows << " rows, " << total.pictures << " pictures";
  std::cout << ": "
            << (total.problems.empty() ? std::string("all well")
                                       : std::to_string(total.problems.size()) + " problems")
            << "\n";
  if (total.problems.empty()) return 0;
  std::cerr
      << "evd: a damaged result is made again by its stage with --rerun; recorded answers are "
         "not paid again\n";
  return static_cast<int>(ExitCode::data);
}

}  // namespace

Command add_verify(CLI::App& app) {
  auto* sub = app.add_subcommand("verify", "Check every manifest, checksum and schema");
  auto directory = std::make_shared<std::filesystem::path>();
  auto deep = std::make_shared<bool>(false);
  sub->add_option("DIR", *directory, "Campaign directory")->required();
  sub->add_flag("--deep", *deep, "Read every row and decode every picture too");
  return {sub, [directory, deep] {
            return verify(*directory, *deep ? shard::Depth::deep : shard::Depth::sums);
          }};
}

}  // namespace evd::hands
