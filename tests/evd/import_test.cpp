#include <csignal>
#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "image/image.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

class Import : public ::testing::Test {
 protected:
  Import() {
    stdfs::create_directories(images() / "more");
    for (int i = 0; i < 6; ++i) picture("a" + std::to_string(i) + ".png", i);
    picture("more/b.png", 7);
  }
  [[nodiscard]] stdfs::path campaign() const { return directory_ / "campaign"; }
  [[nodiscard]] stdfs::path images() const { return directory_ / "images"; }
  void picture(const std::string& name, int shade) const {
    image::Rgb rgb{.width = 40, .height = 30, .pixels = {}};
    rgb.pixels.assign(std::size_t{3} * 40 * 30, static_cast<std::uint8_t>(20 * shade));
    const auto bytes = image::encode_png(rgb);
    write_file(images() / name, {reinterpret_cast<const char*>(bytes.data()), bytes.size()});
  }
  [[nodiscard]] Finished import(const std::string& captions,
                                const std::vector<std::string>& more = {},
                                const std::map<std::string, std::string>& environment = {}) const {
    return import_into(campaign(), captions, more, environment);
  }
  [[nodiscard]] Finished import_into(const stdfs::path& campaign, const std::string& captions,
                                     const std::vector<std::string>& more,
                                     const std::map<std::string, std::string>& environment) const {
    write_file(directory_ / "captions.csv", captions);
    std::vector<std::string> arguments = {program("evd"),
                                          "import",
                                          campaign.string(),
                                          "--images",
                                          images().string(),
                                          "--captions",
                                          (directory_ / "captions.csv").string()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run({.arguments = arguments, .environment = environment});
  }
  [[nodiscard]] static std::vector<std::string> tiny() {
    return {"--config", (source_directory() / "tests/support/tiny.toml").string()};
  }
  [[nodiscard]] std::vector<shard::Image> rows() const {
    return shard::read_table<shard::Image>(campaign() / "rounds/0000/harvest/images-00000.h5");
  }
  TempDir directory_;
};

constexpr const char* kGood =
    "file,caption\na0.png,a black square\na1.png,a grey square\na2.png,a person\n"
    "a3.png,the word CAT\nmore/b.png,a light square\n";

TEST_F(Import, PublishesAHarvestAtNoCost) {
  const auto done = import(kGood, tiny());
  ASSERT_EQ(done.code, 0) << done.story();
  const auto manifest = shard::read_manifest(campaign() / "rounds/0000/harvest");
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->counts.done, 5);
  EXPECT_EQ(manifest->cost_microusd, 0);
  EXPECT_EQ(manifest->by_teacher.at("imported").done, 5);
  const auto images = rows();
  ASSERT_EQ(images.size(), 5U);
  const shard::Table<shard::Image> table(campaign() / "rounds/0000/harvest/images-00000.h5");
  for (std::size_t i = 0; i < images.size(); ++i) {
    EXPECT_EQ(images[i].origin, shard::Origin::imported);
    EXPECT_EQ(images[i].teacher.text, "imported");
    EXPECT_EQ(images[i].width, 40);
    EXPECT_EQ(images[i].mime.text, "image/png");
    EXPECT_EQ(sha256(table.blob(static_cast<std::int64_t>(i))), images[i].sha256);
  }
  EXPECT_EQ(run({.arguments = {program("evd"), "verify", campaign().string(), "--deep"}}).code, 0);
}

TEST_F(Import, LostImagesAreCountedByLine) {
  write_file(images() / "broken.png", "\x89PNG\r\n\x1a\n and then nothing");
  write_file(images() / "text.png", "no picture");
  write_file(directory_ / "secret.png", read_file(images() / "a0.png"));
  const auto done = import(std::string(kGood) +
                               "missing.png,lost\nbroken.png,broken\ntext.png,none\n"
                               "../secret.png,outside\n/etc/passwd,outside\n,nothing\na4.png,\n"
                               "a5.png,a black square\n",
                           tiny());
  ASSERT_EQ(done.code, 0) << done.story();
  for (const char* line : {"1 line whose image is missing (line 7)",
                           "2 lines whose image is damaged or no PNG, JPEG or WebP (lines 8, 9)",
                           "3 lines whose image is not inside the folder (lines 10, 11, 12)",
                           "1 blank (line 13)", "1 duplicate (line 14)"})
    EXPECT_NE(done.out.find(line), std::string::npos) << line << done.story();
  EXPECT_EQ(rows().size(), 5U);
}

TEST_F(Import, NothingToImportLeavesNothing) {
  const auto none = import("file,caption\nmissing.png,lost\n", tiny());
  EXPECT_EQ(none.code, 65) << none.story();
  EXPECT_FALSE(stdfs::exists(campaign()));
  const auto column = import("name,caption\na0.png,x\n", tiny());
  EXPECT_EQ(column.code, 78) << column.story();
  EXPECT_NE(column.err.find("has no column file"), std::string::npos) << column.story();
}

TEST_F(Import, FillsACampaignThatIsThere) {
  write_file(directory_ / "p.txt", "a black square\na grey square\nsomething else\n");
  ASSERT_EQ(run({.arguments = {program("evd"), "init", campaign().string(), "--config", tiny()[1],
                               "--prompts", (directory_ / "p.txt").string()}})
                .code,
            0);
  const auto config = import(kGood, tiny());
  EXPECT_EQ(config.code, 64) << config.story();
  const auto done = import(kGood);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.out.find("2 images imported"), std::string::npos) << done.story();
  EXPECT_NE(done.out.find("3 images belong to no prompt"), std::string::npos) << done.story();
  EXPECT_EQ(rows().size(), 3U) << "the prompt without a picture is recorded as failed";
  const auto again = import(kGood);
  EXPECT_EQ(again.code, 78) << again.story();
  EXPECT_NE(again.err.find("is done already"), std::string::npos) << again.story();
}

// The static baseline: judge(0) makes its set of them without asking anybody.
TEST_F(Import, JudgeMakesASetWithoutACall) {
  ASSERT_EQ(import(kGood, {"--config", tiny()[1], "--set", "rehearsal.latency_ms=100000"}).code, 0);
  for (const auto& stage : {std::string("judge"), std::string("train")}) {
    const auto done = run(
        {.arguments = mpirun(2, {program("evd-" + stage), campaign().string(), "--round", "0"})});
    ASSERT_EQ(done.code, 0) << done.story();
  }
  const auto manifest = shard::read_manifest(campaign() / "rounds/0000/judge");
  EXPECT_EQ(manifest->cost_microusd, 0);
  std::size_t members = 0;
  for (const auto& sample :
       shard::read_table<shard::Sample>(campaign() / "rounds/0000/judge/set.h5"))
    members +=
        sample.status == shard::Status::member && sample.target_teacher.text == "imported" ? 1 : 0;
  EXPECT_EQ(members, 5U);
}

// The number of the first I/O event below rounds/ in a trace: lines "rank number name path".
std::string first_event_of_rounds(const stdfs::path& trace) {
  std::ifstream file(trace);
  std::string line;
  while (std::getline(file, line)) {
    std::istringstream words(line);
    std::string rank;
    std::string number;
    if (words >> rank >> number && line.find("/rounds/") != std::string::npos) return number;
  }
  return "";
}

// Dead between its campaign and its pictures, it is gone on with by the same command.
TEST_F(Import, TheSameCommandGoesOnAfterAKill) {
  std::vector<std::string> options = tiny();
  options.insert(options.end(), {"--heldout-share", "0.4", "--set", "train.lr=0.001"});
  const auto calm = directory_ / "calm";
  const auto trace = directory_ / "trace";
  const auto whole = import_into(calm, kGood, options, {{"EVD_IO_TRACE", trace.string()}});
  ASSERT_EQ(whole.code, 0) << whole.story();
  const auto event = first_event_of_rounds(trace);
  ASSERT_NE(event, "");
  const auto dead = import(kGood, options, {{"EVD_KILL_AT", event}});
  ASSERT_EQ(dead.signal, SIGKILL) << dead.story();
  ASSERT_TRUE(shard::read_manifest(campaign() / "prompts"));
  ASSERT_FALSE(shard::read_manifest(campaign() / "rounds/0000/harvest"));
  auto others = options;
  others.back() = "train.lr=0.002";
  const auto refused = import(kGood, others);
  EXPECT_EQ(refused.code, 64) << refused.story();
  EXPECT_NE(refused.err.find("is a campaign already, with other settings"), std::string::npos)
      << refused.story();
  const auto again = import(kGood, options);
  ASSERT_EQ(again.code, 0) << again.story();
  for (const char* result : {"prompts", "rounds/0000/harvest"})
    EXPECT_EQ(shard::read_manifest(campaign() / result)->content,
              shard::read_manifest(calm / result)->content)
        << result;
}

// The whole loop on one's own pictures: the first round trains on them, the second draws.
TEST_F(Import, TheChainRunsOnWhatWasImported) {
  auto options = tiny();
  options.insert(options.end(), {"--heldout-share", "0.2"});
  ASSERT_EQ(import(kGood, options).code, 0);
  const auto done = run(
      {.arguments = {program("evd"), "run", campaign().string(), "--rounds", "2", "--ranks", "2"},
       .timeout_s = 250});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.out.find("harvest(0)       was done    5 done"), std::string::npos)
      << done.story();
  for (const char* result : {"start/score", "rounds/0000/score", "rounds/0001/score"})
    EXPECT_TRUE(shard::read_manifest(campaign() / result)) << result;
  const auto verify = run({.arguments = {program("evd"), "verify", campaign().string(), "--deep"}});
  EXPECT_EQ(verify.code, 0) << verify.story();
}

}  // namespace
}  // namespace evd::test
