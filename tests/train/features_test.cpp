// evd-train and evd-evaluate with a T5 and a VAE of random weights, on targets of several aspects.
#include <cmath>
#include <fstream>
#include <map>
#include <set>

#include <gtest/gtest.h>

#include "data/aspect.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "nn/t5_texts.hpp"
#include "run/campaign.hpp"
#include "shard/catalog.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"
#include "train/judged_campaign.hpp"
#include "train/tiny_encoders.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;
using Environment = std::map<std::string, std::string>;

constexpr std::size_t kMembers = 24;
// Four members have the same blank picture, which is encoded once.
constexpr std::size_t kPictures = 21;
constexpr std::size_t kFeatures = kMembers + kPictures + 1;  // and the empty text

Finished start(const std::string& name, const stdfs::path& campaign, int ranks, int round = 0,
               const Environment& environment = {}, const std::vector<std::string>& more = {}) {
  std::vector<std::string> arguments = {program(name), campaign.string(), "--round",
                                        std::to_string(round)};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return run({.arguments = mpirun(ranks, arguments), .environment = environment, .timeout_s = 300});
}

bool holds(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

stdfs::path train_directory(const stdfs::path& campaign, int round = 0) {
  return campaign / ("rounds/000" + std::to_string(round)) / "train";
}

shard::Manifest manifest_of(const stdfs::path& directory) {
  auto manifest = shard::read_manifest(directory);
  if (!manifest) throw std::runtime_error(directory.string() + " has no manifest");
  return *manifest;
}

std::vector<stdfs::path> feature_files(const stdfs::path& directory) {
  std::vector<stdfs::path> files;
  if (!stdfs::exists(directory)) return files;
  for (const auto& entry : stdfs::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    if (name.ends_with(".h5") && (name.starts_with("texts-") || name.starts_with("latents-")))
      files.push_back(entry.path());
  }
  return files;
}

/// SHA-256 of every feature of a directory by key; `twice` counts keys that come more than once.
struct Found {
  std::map<std::string, std::string> features;
  std::size_t twice = 0;
};
Found features_in(const stdfs::path& directory) {
  Found found;
  for (const auto& file : feature_files(directory))
    for (const auto& row : shard::read_table<shard::Feature>(file))
      found.twice += found.features.emplace(row.key.hex(), row.sha256.hex()).second ? 0 : 1;
  return found;
}

/// Flips one byte of the bytes of the first row.
void damage(const stdfs::path& path) {
  const shard::Table<shard::Feature> table(path);
  const auto bytes = table.blob(0);
  auto content = fs::read_bytes(path);
  const auto at = std::search(content.begin(), content.end(), bytes.begin(), bytes.end());
  ASSERT_NE(at, content.end());
  *at ^= std::byte{1};
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(content.data()),
             static_cast<std::streamsize>(content.size()));
}

class Encoded : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    encoders_ = std::make_unique<TempDir>();
    write_tiny_t5(*encoders_ / "t5");
    write_tiny_vae(*encoders_ / "vae");
  }
  static void TearDownTestSuite() { encoders_.reset(); }

  stdfs::path campaign(const std::string& name, const std::vector<std::string>& more = {}) {
    auto settings = multi_aspect_settings(*encoders_ / "t5", *encoders_ / "vae");
    settings.insert(settings.end(), more.begin(), more.end());
    make_judged_campaign(folder / name, settings);
    return folder / name;
  }

  static std::unique_ptr<TempDir> encoders_;
  TempDir folder;
};
std::unique_ptr<TempDir> Encoded::encoders_;

TEST_F(Encoded, AnyNumberOfRanksMakesTheSameFeaturesAndLosses) {
  const auto one = campaign("one");
  const auto two = campaign("two");
  const auto alone = start("evd-train", one, 1);
  ASSERT_EQ(alone.code, 0) << alone.story();
  const auto both = start("evd-train", two, 2);
  ASSERT_EQ(both.code, 0) << both.story();
  const auto features = features_in(train_directory(one));
  EXPECT_EQ(features.features.size(), kFeatures);
  EXPECT_EQ(features.twice, 0U);
  EXPECT_EQ(features_in(train_directory(two)).features, features.features);
  EXPECT_EQ(manifest_of(train_directory(one)).tallies.at("texts_extracted"), 25);
  EXPECT_EQ(manifest_of(train_directory(one)).tallies.at("latents_extracted"), 21);
  const auto expected = steps_of(one, 0);
  const auto steps = steps_of(two, 0);
  ASSERT_EQ(steps.size(), 6U);
  for (std::size_t i = 0; i < steps.size(); ++i)
    EXPECT_NEAR(steps[i].loss, expected[i].loss, 2e-5 * expected[i].loss) << i;
}

TEST_F(Encoded, LatentsHaveTheSizeOfTheirBucketAndTextsTheirRealTokens) {
  const auto here = campaign("sizes");
  ASSERT_EQ(start("evd-train", here, 2).code, 0);
  std::map<std::pair<int, int>, int> sizes;
  std::set<int> lengths;
  for (const auto& file : feature_files(train_directory(here)))
    for (const auto& row : shard::read_table<shard::Feature>(file)) {
      if (row.kind == shard::FeatureKind::latent) {
        EXPECT_EQ(row.channels, 4);
        ++sizes[{row.height, row.width}];
      } else {
        EXPECT_EQ(row.channels, 16);
        lengths.insert(row.tokens);
      }
    }
  // 32 x 32, 64 x 32, 32 x 64 and 40 x 32 px become 256 x 256, 352 x 176, 176 x 352, 272 x 224.
  const std::map<std::pair<int, int>, int> expected = {
      {{32, 32}, 8}, {{22, 44}, 5}, {{44, 22}, 4}, {{28, 34}, 4}};
  EXPECT_EQ(sizes, expected);
  EXPECT_EQ(*lengths.begin(), 1);  // the empty text
  EXPECT_LE(*lengths.rbegin(), 12);
  EXPECT_GT(lengths.size(), 1U);
}

std::vector<int> events_of(const stdfs::path& trace, const std::string& part) {
  std::ifstream file(trace);
  std::vector<int> events;
  for (std::string line; std::getline(file, line);)
    if (line.starts_with("1 ") && holds(line, part)) events.push_back(std::stoi(line.substr(2)));
  return events;
}

TEST_F(Encoded, KilledInTheMiddleOfExtractionNothingIsExtractedTwice) {
  const std::vector<std::string> small = {"features.shard_mib=0.0002", "features.threads=1"};
  const auto straight = campaign("straight", small);
  const auto trace = folder / "trace";
  const auto whole = start("evd-train", straight, 2, 0, {{"EVD_IO_TRACE", trace.string()}});
  ASSERT_EQ(whole.code, 0) << whole.story();
  const auto expected = features_in(train_directory(straight));
  for (const char* part : {"/texts-", "/latents-"}) {
    const auto events = events_of(trace, part);
    ASSERT_GT(events.size(), 4U) << part;
    const int event = events[events.size() / 2];
    const auto here = campaign("killed" + std::to_string(event), small);
    const auto killed = start("evd-train", here, 2, 0,
                              {{"EVD_KILL_AT", std::to_string(event)}, {"EVD_KILL_RANK", "1"}});
    ASSERT_NE(killed.code, 0) << part;
    const auto kept = features_in(train_directory(here)).features.size();
    EXPECT_GT(kept, 0U) << part;
    EXPECT_LT(kept, expected.features.size()) << part;
    const auto again = start("evd-train", here, 2);
    ASSERT_EQ(again.code, 0) << again.story();
    const auto manifest = manifest_of(train_directory(here));
    EXPECT_EQ(manifest.tallies.at("texts_extracted") + manifest.tallies.at("latents_extracted"),
              static_cast<std::int64_t>(expected.features.size() - kept))
        << part;
    EXPECT_EQ(manifest.tallies.at("features_reused"), static_cast<std::int64_t>(kept)) << part;
    const auto found = features_in(train_directory(here));
    EXPECT_EQ(found.twice, 0U) << part;
    EXPECT_EQ(found.features, expected.features) << part;
    // What the manifest lists is just what lies there, and the weights are those of the
    // undisturbed.
    std::size_t listed = 0;
    for (const auto& file : manifest.files) listed += file.table == "features" ? 1 : 0;
    EXPECT_EQ(listed, feature_files(train_directory(here)).size());
    EXPECT_EQ(manifest.content, manifest_of(train_directory(straight)).content) << part;
  }
}

TEST_F(Encoded, TheNextRoundExtractsOnlyWhatIsDamagedOrGone) {
  const auto here = campaign("rounds");
  ASSERT_EQ(start("evd-train", here, 2).code, 0);
  const auto first = manifest_of(train_directory(here));
  stdfs::path latents;
  stdfs::path texts;
  for (const auto& file : feature_files(train_directory(here)))
    (file.filename().string().starts_with("latents-") ? latents : texts) = file;
  const auto damaged = shard::read_table<shard::Feature>(latents).front().key;
  damage(latents);
  const auto lost = shard::read_table<shard::Feature>(texts).size();
  stdfs::remove(texts);
  const auto done = start("evd-train", here, 2, 1);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_TRUE(holds(done.out + done.err, "checksum of its bytes is wrong")) << done.story();
  const auto second = manifest_of(train_directory(here, 1));
  EXPECT_EQ(second.tallies.at("latents_extracted"), 1);
  EXPECT_EQ(second.tallies.at("features_damaged"), 1);
  EXPECT_EQ(second.tallies.at("texts_extracted"), static_cast<std::int64_t>(lost));
  EXPECT_EQ(second.tallies.at("feature_files_damaged"), 1);
  // The index covers the whole set; what is elsewhere is named by the manifest.
  const auto uses =
      shard::read_table<shard::FeatureUse>(train_directory(here, 1) / "feature-uses.h5");
  ASSERT_EQ(uses.size(), 2 * kMembers + 1);
  std::set<std::string> listed;
  for (const auto& file : second.files) listed.insert(file.sha256.hex());
  std::size_t earlier = 0;
  std::size_t of_damaged = 0;
  for (const auto& use : uses) {
    of_damaged += use.key == damaged ? 1 : 0;
    EXPECT_GE(use.row, 0);
    earlier += listed.contains(use.shard.hex()) ? 0 : 1;
    EXPECT_EQ(use.round, listed.contains(use.shard.hex()) ? 1 : 0);
  }
  EXPECT_GT(of_damaged, 0U);
  EXPECT_EQ(earlier, uses.size() - lost - of_damaged);
  ASSERT_FALSE(second.input_files.empty());
  for (const auto& file : second.input_files) {
    EXPECT_TRUE(file.name.starts_with("rounds/0000/train/")) << file.name;
    EXPECT_FALSE(listed.contains(file.sha256.hex()));
  }
  EXPECT_TRUE(first.input_files.empty());
}

TEST_F(Encoded, EvaluateDrawsEveryMemberAtTheSizeOfItsBucket) {
  const auto here = campaign("drawn");
  ASSERT_EQ(start("evd-train", here, 2).code, 0);
  const auto drawn = start("evd-evaluate", here, 2);
  ASSERT_EQ(drawn.code, 0) << drawn.story();
  std::map<std::pair<int, int>, int> sizes;
  std::set<std::string> pictures;
  const auto directory = here / "rounds/0000/evaluate";
  for (const auto& file : manifest_of(directory).files) {
    if (file.table != "images") continue;
    const shard::Table<shard::Image> table(directory / file.name);
    const auto rows = table.read();
    for (std::size_t i = 0; i < rows.size(); ++i) {
      ++sizes[{rows[i].height, rows[i].width}];
      pictures.insert(rows[i].sha256.hex());
      const auto picture = image::decode(table.blob(static_cast<std::int64_t>(i)));
      EXPECT_EQ(picture.height, rows[i].height);
      EXPECT_EQ(picture.width, rows[i].width);
    }
  }
  const std::map<std::pair<int, int>, int> expected = {
      {{256, 256}, 8}, {{176, 352}, 8}, {{352, 176}, 4}, {{224, 272}, 4}};
  EXPECT_EQ(sizes, expected);
  EXPECT_EQ(pictures.size(), kMembers);
}

TEST_F(Encoded, ValidationsMeasureLatentsAndDrawThroughTheVae) {
  const auto here = campaign("validated", {"train.validate_every=3", "train.validation_pictures=3",
                                           "train.held_out_share=0.3"});
  const auto done = start("evd-train", here, 2);
  ASSERT_EQ(done.code, 0) << done.story();
  const auto rows = shard::read_table<shard::Validation>(train_directory(here) / "validations.h5");
  ASSERT_EQ(rows.size(), 2U * 2 * 16);
  for (const auto& row : rows) {
    EXPECT_GT(row.samples, 0);
    EXPECT_TRUE(std::isfinite(row.loss));
  }
  const auto sheet = image::decode(fs::read_bytes(here / "logs/validation/step-000000006.png"));
  EXPECT_EQ(sheet.width, 2 * (256 + 4) + 4);
  EXPECT_GT(std::set(sheet.pixels.begin(), sheet.pixels.end()).size(), 10U);
}

TEST_F(Encoded, T5ReadsAPromptInItsForm) {
  const auto t5 = *encoders_ / "t5";
  const auto texts = [&](const nn::PromptForm& form) {
    return nn::T5Texts(t5, t5 / "spiece.model", 12, nn::TextCompute::float32, form);
  };
  const auto as_written = texts({});
  const auto in_form = texts({.clean = true, .size_suffixes = true});
  const std::string prompt = "Red   <b>square</b> left --ar 1:2";
  EXPECT_EQ(in_form.encode(prompt).states, as_written.encode("red square left").states);
  EXPECT_NE(as_written.encode(prompt).states, as_written.encode("red square left").states);
}

/// Pictures of free prompts, in the order of their lines.
std::vector<shard::Image> draw(const stdfs::path& campaign, const std::string& prompts,
                               const stdfs::path& out) {
  write_file(campaign / "free.txt", prompts);
  const auto done = run({.arguments = {program("evd-evaluate"), campaign.string(), "--prompts",
                                       (campaign / "free.txt").string(), "--checkpoint", "0",
                                       "--out", out.string()}});
  if (done.code != 0) throw std::runtime_error(done.story());
  return shard::read_table<shard::Image>(out / "images-00000.h5");
}

TEST_F(Encoded, FreePromptsAreReadInTheirFormAndDrawnAtTheirSize) {
  const auto here = campaign("free", {"text.clean=true", "text.size_suffixes=true"});
  ASSERT_EQ(start("evd-train", here, 2).code, 0);  // fresh weights draw the same of every text
  const auto rows =
      draw(here, "red\n <b>RED</b> --ar 1:1\nred --hw 300:600\nred --ar 2:1\nred --ar 2\n",
           folder / "drawn");
  std::vector<std::pair<int, int>> sizes;
  for (const auto& row : rows) sizes.emplace_back(row.height, row.width);
  const std::vector<std::pair<int, int>> expected = {
      {256, 256}, {256, 256}, {176, 352}, {352, 176}, {256, 256}};
  EXPECT_EQ(sizes, expected);
  EXPECT_EQ(rows[0].sha256, rows[1].sha256);
  EXPECT_NE(rows[0].sha256, rows[4].sha256);  // a malformed end is text
}

// The key of a text is that of what T5 reads: these prompts are clean as they are written.
TEST_F(Encoded, APromptThatIsCleanHasTheSameFeatureEitherWay) {
  const auto as_written = campaign("written");
  const auto cleaned = campaign("cleaned", {"text.clean=true"});
  ASSERT_EQ(start("evd-train", as_written, 2).code, 0);
  ASSERT_EQ(start("evd-train", cleaned, 2).code, 0);
  EXPECT_EQ(features_in(train_directory(cleaned)).features,
            features_in(train_directory(as_written)).features);
}

TEST_F(Encoded, AnotherEncoderIsRefusedBeforeItIsUsed) {
  const TempDir copies;
  stdfs::copy(*encoders_ / "vae", copies / "vae");
  const auto here = campaign("other", {"vae.folder=" + (copies / "vae").string()});
  auto config = read_file(copies / "vae" / "config.json");
  write_file(copies / "vae" / "config.json", config + "\n");
  const auto done = start("evd-train", here, 2);
  EXPECT_EQ(done.code, 65) << done.story();
  EXPECT_TRUE(holds(done.err, "not the encoder of this campaign")) << done.story();
  EXPECT_TRUE(holds(done.err, "vae.folder=PATH")) << done.story();
}

}  // namespace
}  // namespace evd::test
