#include "shard/catalog.hpp"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "shard/manifest.hpp"
#include "shard/random_rows.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::TempDir;
using evd::test::write_file;

// A published stage with one images file; `when` orders the results in time.
FileEntry publish_images(const std::filesystem::path& directory, const std::vector<Image>& rows,
                         std::int64_t when) {
  fs::make_directory(directory);
  Manifest manifest;
  manifest.campaign = "c";
  manifest.stage = "harvest";
  manifest.created_ms = when;
  manifest.files = {
      write_table<Image>(directory / "images-00000.h5", {"c", 0, "harvest", "", ""}, rows)};
  manifest.content = content_of(manifest.files);
  publish_manifest(directory, manifest);
  return manifest.files[0];
}

std::vector<Image> images(std::size_t count, std::uint64_t seed) {
  auto rows = test::random_rows<Image>(count, seed);
  for (std::size_t i = 0; i < count; ++i) {
    rows[i].outcome = Outcome::ok;
    rows[i].key = RequestKey(sha256(std::to_string(seed) + "," + std::to_string(i)).bytes());
  }
  return rows;
}

TEST(Catalog, FindsImagesByPointerAndByKeyInEveryResult) {
  const TempDir dir;
  const auto first = images(20, 1);
  const auto second = images(20, 2);
  const auto start = images(20, 3);
  const auto a = publish_images(dir / "rounds/0000/harvest", first, 1);
  const auto b = publish_images(dir / "rounds/0001/harvest.retired-001", second, 2);
  const auto c = publish_images(dir / "start/evaluate", start, 3);
  const Catalog catalog(dir.path());
  EXPECT_TRUE(catalog.problems().empty());
  for (const auto& [entry, rows] :
       {std::pair(a, first), std::pair(b, second), std::pair(c, start)}) {
    EXPECT_EQ(catalog.images(entry.sha256).size(), rows.size());
    for (std::size_t i = 0; i < rows.size(); ++i) {
      const auto found = catalog.find(rows[i].key);
      ASSERT_TRUE(found);
      EXPECT_EQ(found->shard, entry.sha256);
      EXPECT_EQ(catalog.bytes(*found), rows[i].bytes);
      EXPECT_EQ(catalog.images(found->shard)[i].id, rows[i].id);
    }
  }
  EXPECT_FALSE(catalog.find(RequestKey{}));
  EXPECT_EQ(catalog.path(a.sha256), dir / "rounds/0000/harvest/images-00000.h5");
}

TEST(Catalog, TheNewestOutcomeOfAKeyCountsAndOpenOnesDoNot) {
  const TempDir dir;
  auto rows = images(3, 1);
  rows[1].outcome = Outcome::open;
  publish_images(dir / "rounds/0000/harvest.retired-001", rows, 1);
  auto later = images(3, 2);
  later[0].key = rows[0].key;
  later[2].key = rows[2].key;
  later[2].outcome = Outcome::open;
  const auto newer = publish_images(dir / "rounds/0000/harvest", later, 2);
  const Catalog catalog(dir.path());
  EXPECT_EQ(catalog.find(rows[0].key)->shard, newer.sha256);
  EXPECT_FALSE(catalog.find(rows[1].key));
  EXPECT_NE(catalog.find(rows[2].key)->shard, newer.sha256);
}

TEST(Catalog, DamageInOneResultLeavesTheOthers) {
  const TempDir dir;
  const auto rows = images(5, 1);
  const auto lost = images(5, 2);
  publish_images(dir / "rounds/0000/harvest", rows, 1);
  const auto broken = publish_images(dir / "rounds/0001/harvest", lost, 2);
  publish_images(dir / "rounds/0002/harvest", images(5, 3), 3);
  write_file(dir / "rounds/0001/harvest/images-00000.h5", "nothing");
  write_file(dir / "rounds/0002/harvest/MANIFEST.json", "{");
  const Catalog catalog(dir.path());
  ASSERT_EQ(catalog.problems().size(), 1U);
  EXPECT_TRUE(catalog.find(rows[0].key));
  EXPECT_FALSE(catalog.find(lost[0].key));
  EXPECT_EQ(catalog.problems().size(), 2U);
  EXPECT_THROW(static_cast<void>(catalog.images(broken.sha256)), DataError);
  EXPECT_THROW(static_cast<void>(catalog.bytes({broken.sha256, 0})), DataError);
  EXPECT_THROW(static_cast<void>(catalog.path(Sha256{})), DataError);
}

TEST(Catalog, PointersBeyondTheFileAreToldNotFollowed) {
  const TempDir dir;
  const auto entry = publish_images(dir / "rounds/0000/harvest", images(5, 1), 1);
  const Catalog catalog(dir.path());
  EXPECT_THROW(static_cast<void>(catalog.bytes({entry.sha256, 5})), DataError);
  EXPECT_THROW(static_cast<void>(catalog.bytes({entry.sha256, -1})), DataError);
}

TEST(Catalog, AnEmptyCampaignHasNothing) {
  const TempDir dir;
  const Catalog catalog(dir.path());
  EXPECT_TRUE(catalog.problems().empty());
  EXPECT_FALSE(catalog.find(RequestKey{}));
}

TEST(Catalog, ServesManyThreadsFromMoreFilesThanItKeepsOpen) {
  const TempDir dir;
  std::vector<FileEntry> entries;
  std::vector<std::vector<Image>> rows;
  for (std::uint64_t i = 0; i < 150; ++i) {
    rows.push_back(images(4, i));
    entries.push_back(
        publish_images(dir / ("rounds/" + std::to_string(1000 + i) + "/harvest"), rows.back(), 1));
  }
  const Catalog catalog(dir.path());
  std::atomic<int> wrong{0};
  std::vector<std::thread> threads;
  for (std::uint64_t t = 0; t < 4; ++t)
    threads.emplace_back([&, t] {
      Random random(t, Purpose::test);
      for (int i = 0; i < 500; ++i) {
        const auto file = random.below(entries.size());
        const auto row = random.below(4);
        const ImageLocation where{entries[file].sha256, static_cast<std::int32_t>(row)};
        if (catalog.bytes(where) != rows[file][row].bytes) ++wrong;
        if (catalog.images(where.shard)[row].key != rows[file][row].key) ++wrong;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

// A directory in its place can be opened and not read, as a file on a failing disk.
TEST(Catalog, AManifestThatIsThereAndCannotBeReadIsAnIoError) {
  const evd::test::TempDir campaign;
  std::filesystem::create_directories(campaign / "rounds/0000/harvest/MANIFEST.json");
  EXPECT_THROW(Catalog(campaign.path()), IoError);
}

}  // namespace
}  // namespace evd::shard
