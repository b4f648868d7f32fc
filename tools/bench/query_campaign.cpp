// Makes a campaign of many rows and no pictures, for tools/bench/query.
//   query_campaign DIR ROWS FILES
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include "core/random.hpp"
#include "run/campaign.hpp"
#include "run/create.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"

namespace {

using namespace evd;

const std::vector<std::string> kTeachers = {"aurora", "drift", "glyph", "meadow"};

std::vector<shard::Image> images(std::size_t count, std::uint64_t seed) {
  std::vector<shard::Image> rows(count);
  for (std::size_t i = 0; i < count; ++i) {
    Random random(seed, Purpose::test, i);
    auto& row = rows[i];
    const auto digest = sha256(std::to_string(seed) + " " + std::to_string(i));
    row.id = truncated<ImageId>(digest);
    row.prompt_id = truncated<SampleId>(sha256(std::to_string(i / 4)));
    row.key = RequestKey(digest.bytes());
    row.teacher = row.model = row.model_echo = {kTeachers[random.below(kTeachers.size())]};
    row.cost_microusd = static_cast<std::int64_t>(20'000 + random.below(20'000));
    row.width = row.height = 1024;
    row.request_id = "req-" + digest.hex().substr(0, 24);
    row.mime = {"image/jpeg"};
    row.sha256 = digest;
  }
  return rows;
}

void make(const std::filesystem::path& root, std::size_t rows, std::size_t files) {
  run::Config config;
  config.rehearsal.enabled = true;
  for (const auto& teacher : kTeachers) {
    teacher::ServiceOptions service;
    service.name = service.model = teacher;
    service.base_url = "rehearsal";
    config.teachers.push_back(service);
  }
  const run::NewCampaign campaign(root, config);
  campaign.finish({}, {}, 0);
  shard::Manifest manifest;
  manifest.campaign = campaign.id().hex();
  manifest.stage = "harvest";
  const auto directory = run::Campaign(root).directory({run::Stage::harvest, 0});
  std::filesystem::create_directories(directory);
  for (std::size_t i = 0; i < files; ++i)
    manifest.files.push_back(shard::write_table<shard::Image>(
        directory / ("images-" + std::to_string(i) + ".h5"),
        {campaign.id().hex(), 0, "harvest", "", ""}, images(rows / files, i)));
  manifest.content = shard::content_of(manifest.files);
  shard::publish_manifest(directory, manifest);
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 4) {
    std::cerr << "usage: query_campaign DIR ROWS FILES\n";
    return 64;
  }
  make(argv[1], std::stoul(argv[2]), std::stoul(argv[3]));
  return 0;
} catch (const std::exception& error) {
  std::cerr << "query_campaign: " << error.what() << "\n";
  return 70;
}
