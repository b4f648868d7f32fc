#include <algorithm>
#include <filesystem>
#include <memory>
#include <set>

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/tiny_campaign.hpp"
#include "teacher/journal.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

// One campaign of every kind of file, of which each test damages one and mends it again.
class Verify : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    campaign_ = std::make_unique<TinyCampaign>();
    campaign_->run(1);
    ASSERT_EQ(campaign_->evd("set", {"train.lr=0.001", "--from", "1"}).code, 0);
    const Finished measured = test::run({{program("evd-rehearsal"), "measure", root().string()}});
    ASSERT_EQ(measured.code, 0) << measured.story();
  }
  static void TearDownTestSuite() { campaign_.reset(); }
  static stdfs::path root() { return campaign_->path(); }

  // Gives the file other bytes as long as it lives.
  class Damage {
   public:
    Damage(stdfs::path file, const std::string& bytes)
        : file_(std::move(file)), whole_(read_file(file_)) {
      write_file(file_, bytes);
    }
    ~Damage() { write_file(file_, whole_); }
    Damage(const Damage&) = delete;
    Damage& operator=(const Damage&) = delete;

   private:
    stdfs::path file_;
    std::string whole_;
  };
  static std::string flipped(std::string bytes, std::size_t at) {
    bytes.at(at) = static_cast<char>(bytes.at(at) ^ 0x10);
    return bytes;
  }

  // Says that it is wrong, where, and how to mend it.
  static void expect_refused(const stdfs::path& file, const std::vector<std::string>& how,
                             const std::string& named, const std::string& what = "") {
    const Finished verify = campaign_->evd("verify", how);
    EXPECT_EQ(verify.code, 65) << file << verify.story();
    EXPECT_NE(verify.out.find(named), std::string::npos) << file << verify.story();
    EXPECT_NE(verify.out.find(what), std::string::npos) << file << verify.story();
    EXPECT_NE(verify.out.find(" problem"), std::string::npos) << file << verify.story();
    EXPECT_NE(verify.err.find("--rerun"), std::string::npos) << file << verify.story();
  }
  static void expect_well(const std::vector<std::string>& how = {}) {
    const Finished verify = campaign_->evd("verify", how);
    EXPECT_EQ(verify.code, 0) << verify.story();
    EXPECT_NE(verify.out.find("all well"), std::string::npos) << verify.story();
  }
  static std::unique_ptr<TinyCampaign> campaign_;
};
std::unique_ptr<TinyCampaign> Verify::campaign_;

// Files that a manifest lists: it needs no deep look to see that they are not what they were.
TEST_F(Verify, FindsAFlippedByteAndATruncationInEveryListedFile) {
  std::set<std::string> kinds;
  std::vector<std::string> results = {"prompts"};
  for (const auto& step : TinyCampaign::chain(1)) results.push_back(step.directory);
  for (const auto& result : results) {
    const auto manifest = shard::read_manifest(root() / result);
    ASSERT_TRUE(manifest) << result;
    for (const auto& listed : manifest->files) {
      const auto file = root() / result / listed.name;
      kinds.insert(listed.table.empty() ? file.filename().string() : listed.table);
      const auto whole = read_file(file);
      {
        const Damage damage(file, flipped(whole, whole.size() / 2));
        expect_refused(file, {}, file.string(), "its SHA-256 is not that of the manifest");
      }
      {
        const Damage damage(file, whole.substr(0, whole.size() - 1));
        expect_refused(file, {}, file.string(),
                       std::to_string(whole.size() - 1) + " bytes, the manifest says " +
                           std::to_string(whole.size()));
      }
    }
  }
  for (const char* kind : {"answers", "calls", "images", "metrics", "model.safetensors", "pairs",
                           "prompts", "samples", "index.json", "ema0-00000.safetensors", "steps"})
    EXPECT_TRUE(kinds.contains(kind)) << kind;
  expect_well();
}

TEST_F(Verify, FindsDamageInAManifest) {
  const auto file = root() / "rounds/0000/judge/MANIFEST.json";
  const auto whole = read_file(file);
  // A digit of a count: still JSON, still a number.
  const auto digit = whole.find("\"done\": ") + 8;
  auto other = whole;
  other[digit] = other[digit] == '1' ? '2' : '1';
  for (const auto& bytes : {other, flipped(whole, whole.size() / 2),
                            whole.substr(0, whole.size() / 2), std::string()}) {
    const Damage damage(file, bytes);
    expect_refused(file, {}, file.string(), "damaged manifest");
  }
  expect_well();
}

TEST_F(Verify, FindsWhatIsMissing) {
  const auto file = root() / "rounds/0000/judge/pairs.h5";
  const auto whole = read_file(file);
  stdfs::remove(file);
  expect_refused(file, {}, file.string(), "missing");
  write_file(file, whole);
}

TEST_F(Verify, FindsDamageInAConfiguration) {
  for (const char* name : {"campaign.toml", "rounds/0001/config.toml"}) {
    const auto file = root() / name;
    const auto whole = read_file(file);
    {
      const Damage damage(file, flipped(whole, whole.find("steps_per_round")));
      expect_refused(file, {}, file.string(), "unknown key");
    }
    {
      const Damage damage(file, whole.substr(0, whole.find("steps_per_round") + 4));
      expect_refused(file, {}, file.string());
    }
  }
  expect_well();
}

// No manifest lists what people measured: its own checksums are read.
TEST_F(Verify, ADeepLookReadsMeasuredMetrics) {
  const auto file = root() / "metrics/yardstick.h5";
  ASSERT_TRUE(stdfs::exists(file));
  const auto whole = read_file(file);
  const auto rows = shard::read_table<shard::Metric>(file);
  ASSERT_FALSE(rows.empty());
  {
    const Damage damage(file, whole.substr(0, whole.size() / 2));
    expect_refused(file, {"--deep"}, file.string());
  }
  // The values lie together: a byte of them is found by the first value's bytes.
  const std::string value(reinterpret_cast<const char*>(&rows[0].value), sizeof rows[0].value);
  const auto at = whole.find(value);
  ASSERT_NE(at, std::string::npos);
  const Damage damage(file, flipped(whole, at));
  expect_refused(file, {"--deep"}, file.string());
}

// What was paid for and may not be published yet lies in the journals alone.
TEST_F(Verify, ADeepLookReadsRecordedAnswers) {
  const teacher::Journals journals(root() / "calls");
  const auto found = std::max_element(
      journals.records().begin(), journals.records().end(),
      [](const auto& a, const auto& b) { return a.second.payload_bytes < b.second.payload_bytes; });
  ASSERT_NE(found, journals.records().end());
  const auto reply = journals.reply(found->first);
  ASSERT_TRUE(reply);
  const std::string payload(reinterpret_cast<const char*>(reply->payload.data()),
                            reply->payload.size());
  for (const auto& entry : stdfs::recursive_directory_iterator(root() / "calls")) {
    if (!entry.is_regular_file()) continue;
    const auto whole = read_file(entry.path());
    const auto at = whole.find(payload);
    if (payload.empty() || at == std::string::npos) continue;
    const Damage damage(entry.path(), flipped(whole, at + payload.size() / 2));
    expect_refused(entry.path(), {"--deep"}, entry.path().string());
    return;
  }
  FAIL() << "no journal holds the largest answer";
}

TEST_F(Verify, AllIsWell) {
  expect_well();
  expect_well({"--deep"});
}

// The pictures that can be read are written; the others are named.
TEST_F(Verify, AnExportNamesDamagedImages) {
  const auto file = root() / "rounds/0000/harvest/images-00000.h5";
  const shard::Table<shard::Image> table(file);
  const auto set = shard::read_table<shard::Sample>(root() / "rounds/0000/judge/set.h5");
  std::string picture;
  std::int64_t targets = 0;
  const auto whole = read_file(file);
  const auto sha = sha256(whole).hex();
  for (const auto& sample : set) {
    if (sample.target_row < 0) continue;
    ++targets;
    if (sample.target_shard.hex() != sha || !picture.empty()) continue;
    const auto bytes = table.blob(sample.target_row);
    picture.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  }
  ASSERT_FALSE(picture.empty());
  const auto at = whole.find(picture);
  ASSERT_NE(at, std::string::npos);
  const Damage damage(file, flipped(whole, at + picture.size() / 2));
  const TempDir folder;
  const Finished images =
      campaign_->evd("export", {"--set", "0", "--images", (folder / "images").string()});
  EXPECT_EQ(images.code, 65) << images.story();
  EXPECT_NE(images.err.find("images-00000.h5"), std::string::npos) << images.story();
  EXPECT_NE(images.err.find("checksum of its bytes is wrong"), std::string::npos) << images.story();
  EXPECT_NE(images.err.find("evd verify"), std::string::npos) << images.story();
  std::int64_t written = 0;
  for (const auto& entry : stdfs::directory_iterator(folder / "images"))
    written += entry.path().extension() == ".csv" ? 0 : 1;
  EXPECT_EQ(written, targets - 1);
}

}  // namespace
}  // namespace evd::test
