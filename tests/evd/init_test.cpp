#include <csignal>
#include <filesystem>
#include <memory>

#include <gtest/gtest.h>

#include "run/campaign.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

class Init : public ::testing::Test {
 protected:
  [[nodiscard]] stdfs::path campaign() const { return directory_ / "campaign"; }
  [[nodiscard]] Finished init(const std::string& prompts,
                              std::vector<std::string> more = {}) const {
    std::vector<std::string> arguments = {
        program("evd"), "init", campaign().string(), "--config", config(), "--prompts", prompts};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return run({.arguments = arguments});
  }
  [[nodiscard]] static std::string config() {
    return (source_directory() / "tests/support/tiny.toml").string();
  }
  std::string write(const std::string& name, const std::string& text) const {
    write_file(directory_ / name, text);
    return (directory_ / name).string();
  }
  [[nodiscard]] std::vector<shard::Sample> set() const {
    return shard::read_table<shard::Sample>(campaign() / "prompts/set.h5");
  }
  [[nodiscard]] std::vector<std::string> prompts_of(shard::Status status) const {
    std::vector<std::string> prompts;
    for (const auto& sample : set())
      if (sample.status == status) prompts.push_back(sample.prompt);
    std::sort(prompts.begin(), prompts.end());
    return prompts;
  }
  void expect_nothing_left() const { EXPECT_FALSE(stdfs::exists(campaign())); }

  TempDir directory_;
};

using Texts = std::vector<std::string>;

TEST_F(Init, AFileWithEveryFlaw) {
  std::string text =
      "\xef\xbb\xbf"
      "a red ball\r\n";                      // 1: byte order mark, CR LF
  text += "\n";                              // 2: blank
  text += "  a  red\tball \n";               // 3: duplicate after folding
  text += std::string(10'000, 'x') + "\n";   // 4: over-long
  text += "\xc3\x28 broken\n";               // 5: not UTF-8
  text += "ring the bell \a\n";              // 6: control character
  text += "👩‍🚀 on a 🐎\n";         // 7: emoji
  text += "كرة حمراء على طاولة\n";           // 8: right to left
  text += "turned \u202e around\n";          // 9: bidirectional override
  text += std::string("nul \0 byte\n", 11);  // 10
  text += std::string(3 << 20, 'y') + "\n";  // 11: three megabytes
  text += "cafe\u0301\n";                    // 12: decomposed
  text += "caf\u00e9\n";                     // 13: the same, composed
  text += "the word CAT in green letters";   // 14: no line end
  const auto done = init(write("flaws.txt", text));
  ASSERT_EQ(done.code, 0) << done.story();
  for (const char* line : {"5 of 14 lines", "1 blank (line 2)", "2 duplicate (lines 3, 13)",
                           "2 over-long (lines 4, 11)", "1 not UTF-8 (line 5)",
                           "3 with control characters (lines 6, 9, 10)", "for text 1"})
    EXPECT_NE(done.out.find(line), std::string::npos) << line << done.story();
  EXPECT_EQ(prompts_of(shard::Status::waiting),
            (Texts{"a red ball", "caf\u00e9", "the word CAT in green letters",
                   "كرة حمراء على طاولة", "👩‍🚀 on a 🐎"}));
  const auto manifest = shard::read_manifest(campaign() / "prompts");
  ASSERT_TRUE(manifest);
  EXPECT_EQ(manifest->tallies.at("pool"), 5);
  const auto pool = shard::read_table<shard::Prompt>(campaign() / "prompts/pool-00000.h5");
  ASSERT_EQ(pool.size(), 5U);
  EXPECT_EQ(pool.back().line, 14);
  EXPECT_TRUE(stdfs::exists(campaign() / "campaign.toml"));
  EXPECT_TRUE(stdfs::exists(campaign() / "config-history.jsonl"));
  EXPECT_NE(read_file(campaign() / "site.toml").find("prefix = \""), std::string::npos);
}

TEST_F(Init, NoPromptAtAllLeavesNothing) {
  const auto empty = init(write("empty.txt", "\n \n"));
  EXPECT_EQ(empty.code, 65) << empty.story();
  EXPECT_NE(empty.err.find("holds no prompt to start from"), std::string::npos) << empty.story();
  expect_nothing_left();
  const auto missing = init((directory_ / "missing.txt").string());
  EXPECT_EQ(missing.code, 74) << missing.story();
  expect_nothing_left();
}

TEST_F(Init, HeldoutPromptsAreTakenOutOfTheStart) {
  const auto heldout = write("heldout.txt", "a red ball\na blue cube\n");
  const auto done = init(write("p.txt", "a red ball\na green cone\n"), {"--heldout", heldout});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(prompts_of(shard::Status::waiting), Texts{"a green cone"});
  EXPECT_EQ(prompts_of(shard::Status::heldout), (Texts{"a blue cube", "a red ball"}));
  EXPECT_NE(done.out.find("1 held-out prompts are among the prompts too"), std::string::npos)
      << done.story();
  for (const auto& sample : set())
    EXPECT_EQ(sample.split == shard::Split::heldout, sample.status == shard::Status::heldout);
}

TEST_F(Init, AShareIsHeldOutBySeed) {
  std::string text;
  for (int i = 0; i < 50; ++i) text += "thing number " + std::to_string(i) + "\n";
  const auto prompts = write("p.txt", text);
  ASSERT_EQ(init(prompts, {"--heldout-share", "0.1", "--set", "set.start_samples=20"}).code, 0);
  const auto first = prompts_of(shard::Status::heldout);
  EXPECT_EQ(first.size(), 5U);
  EXPECT_EQ(prompts_of(shard::Status::waiting).size(), 20U);
  stdfs::remove_all(campaign());
  ASSERT_EQ(init(prompts, {"--heldout-share", "0.1", "--set", "set.start_samples=20"}).code, 0);
  EXPECT_EQ(prompts_of(shard::Status::heldout), first) << "the same seed, the same choice";
  stdfs::remove_all(campaign());
  ASSERT_EQ(init(prompts, {"--heldout-share", "0.1", "--set", "campaign.seed=9"}).code, 0);
  EXPECT_NE(prompts_of(shard::Status::heldout), first);
}

TEST_F(Init, CsvAndJsonLines) {
  ASSERT_EQ(
      init(write("p.csv", "n,text,categories\n1,\"a, b\",human\n2,c,\n"), {"--column", "text"})
          .code,
      0);
  EXPECT_EQ(prompts_of(shard::Status::waiting), (Texts{"a, b", "c"}));
  EXPECT_EQ(set()[0].category_source == shard::CategorySource::given, set()[0].category_human);
  stdfs::remove_all(campaign());
  ASSERT_EQ(
      init(write("p.jsonl", "{\"q\":\"one\"}\nrubbish\n{\"q\":\"two\"}\n"), {"--field", "q"}).code,
      0);
  EXPECT_EQ(prompts_of(shard::Status::waiting), (Texts{"one", "two"}));
}

TEST_F(Init, ACostAboveTheBudgetWantsConsent) {
  const auto prompts = write("p.txt", "a red ball\na blue cube\n");
  const auto refused = init(prompts, {"--set", "budget.usd=0.01"});
  EXPECT_EQ(refused.code, 64) << refused.story();
  EXPECT_NE(refused.err.find("add --yes"), std::string::npos) << refused.story();
  EXPECT_NE(refused.out.find("round 0: 4 images"), std::string::npos) << refused.story();
  expect_nothing_left();
  EXPECT_EQ(init(prompts, {"--set", "budget.usd=0.01", "--yes"}).code, 0);
}

// Two prompts by two teachers: 2 x 1 match x 2 orders. Each held-out prompt: base against 2
// teachers in 2 orders and an alignment, for the start weights and for round 0, and 2 teachers'
// alignments.
TEST_F(Init, TheCostHasTheScoresInIt) {
  const auto prompts = write("p.txt", "a red ball\na blue cube\n");
  const auto heldout = write("h.txt", "a green cone\na red cone\n");
  const auto done = init(prompts, {"--heldout", heldout});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(done.out.find("round 0: 4 images and 28 questions (24 of them to score), at most $0.17 "
                          "if every answer can be read"),
            std::string::npos)
      << done.story();
  EXPECT_NE(done.out.find("judge.max_asks = 3 times"), std::string::npos) << done.story();
  stdfs::remove_all(campaign());
  const auto fewer = init(prompts, {"--heldout", heldout, "--set", "judge.score_prompts=1"});
  ASSERT_EQ(fewer.code, 0) << fewer.story();
  EXPECT_NE(fewer.out.find("16 questions (12 of them to score)"), std::string::npos)
      << fewer.story();
}

TEST_F(Init, AnExistingCampaignIsLeftAlone) {
  const auto prompts = write("p.txt", "a red ball\n");
  ASSERT_EQ(init(prompts).code, 0);
  const auto before = read_file(campaign() / "prompts/MANIFEST.json");
  const auto again = init(prompts);
  EXPECT_EQ(again.code, 78) << again.story();
  EXPECT_NE(again.err.find("holds a campaign already"), std::string::npos) << again.story();
  EXPECT_EQ(read_file(campaign() / "prompts/MANIFEST.json"), before);
}

TEST_F(Init, KilledAnywhereItMayBeTypedAgain) {
  const auto prompts = write("p.txt", "a red ball\na blue cube\n");
  int event = 1;
  for (bool killed = true; killed; ++event) {
    ASSERT_LT(event, 100) << "never ran to its end";
    stdfs::remove_all(campaign());
    const auto first = run({.arguments = {program("evd"), "init", campaign().string(), "--config",
                                          config(), "--prompts", prompts},
                            .environment = {{"EVD_KILL_AT", std::to_string(event)}}});
    killed = first.signal == SIGKILL;
    if (!killed) {
      EXPECT_EQ(first.code, 0) << first.story();
    } else if (!stdfs::exists(campaign() / "prompts/MANIFEST.json")) {
      const auto again = init(prompts);
      ASSERT_EQ(again.code, 0) << event << again.story();
    }
    EXPECT_EQ(set().size(), 2U) << event;
  }
  EXPECT_GT(event, 10) << "events were not counted";
}

TEST_F(Init, WrongConfigurationIsNamed) {
  const auto prompts = write("p.txt", "a red ball\n");
  const auto key = init(prompts, {"--set", "train.lrr=1"});
  EXPECT_EQ(key.code, 78) << key.story();
  EXPECT_NE(key.err.find("did you mean train.lr?"), std::string::npos) << key.story();
  const auto site = init(prompts, {"--site", "locall"});
  EXPECT_EQ(site.code, 78) << site.story();
  EXPECT_NE(site.err.find("did you mean local?"), std::string::npos) << site.story();
  const auto option = init(prompts, {"--heldoutt", "x"});
  EXPECT_EQ(option.code, 64) << option.story();
  EXPECT_NE(option.err.find("did you mean --heldout?"), std::string::npos) << option.story();
  expect_nothing_left();
}

// A million lines: as many shards as it takes, nothing lost.
TEST_F(Init, AMillionLines) {
  std::string text;
  text.reserve(40'000'000);
  for (int i = 0; i < 1'000'000; ++i)
    text += "a red circle left of blue square " +
            std::to_string(i / 2 * 2 + (i % 10 == 0 ? 0 : i % 2)) + "\n";
  const auto done = init(write("many.txt", text), {"--yes", "--set", "set.start_samples=5000"});
  ASSERT_EQ(done.code, 0) << done.story();
  RecordProperty("seconds", std::to_string(done.seconds));
  const auto manifest = shard::read_manifest(campaign() / "prompts");
  std::int64_t rows = 0;
  for (const auto& file : manifest->files)
    if (file.table == "prompts") rows += file.rows;
  EXPECT_EQ(rows, manifest->tallies.at("pool"));
  EXPECT_GT(rows, 900'000);
  EXPECT_EQ(set().size(), 5000U);
}

// Two who type it at once would write over each other.
TEST_F(Init, OfSeveralAtOnceOneMakesTheCampaign) {
  std::string text;
  for (int i = 0; i < 3000; ++i) text += "a red ball, number " + std::to_string(i) + "\n";
  const auto prompts = write("prompts.txt", text);
  constexpr int kRounds = 4;
  for (int round = 0; round < kRounds; ++round) {
    std::vector<std::unique_ptr<Process>> rivals;
    for (int i = 0; i < 4; ++i)
      rivals.push_back(std::make_unique<Process>(
          Command{.arguments = {program("evd"), "init", campaign().string(), "--config", config(),
                                "--prompts", prompts, "--yes"}}));
    int made = 0;
    for (auto& rival : rivals) {
      const auto end = rival->wait();
      EXPECT_TRUE(end.code == 0 || end.code == 78) << end.story();
      made += end.code == 0 ? 1 : 0;
    }
    EXPECT_EQ(made, 1);
    const auto verify = run({{program("evd"), "verify", campaign().string(), "--deep"}});
    EXPECT_EQ(verify.code, 0) << verify.story();
    stdfs::remove_all(campaign());
  }
}

// What a message says is to be typed can be typed.
TEST_F(Init, ACommandThatHoldsABlankIsQuoted) {
  const auto prompts = write("prompts.txt", "a red ball\na blue ball\n");
  const auto place = directory_ / "my campaign's";
  const auto made = run({{program("evd"), "init", place.string(), "--config", config(), "--prompts",
                          prompts, "--yes"}});
  ASSERT_EQ(made.code, 0) << made.story();
  const std::string quoted = "'" + (directory_ / "my campaign'\\''s").string() + "'";
  EXPECT_NE(made.out.find("evd run " + quoted + " --rounds 3"), std::string::npos) << made.story();
  const auto early = run({mpirun(1, {program("evd-judge"), place.string(), "--round", "0"})});
  EXPECT_EQ(early.code, 78) << early.story();
  EXPECT_NE(early.err.find("first: evd-harvest " + quoted + " --round 0"), std::string::npos)
      << early.story();
}

}  // namespace
}  // namespace evd::test
