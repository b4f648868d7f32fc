// evd-judge as a program: MPI ranks, real HTTP to the embedded VLM, published files.
#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <fstream>
#include <set>
#include <thread>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "fs/file.hpp"
#include "judge/drawn_campaign.hpp"
#include "shard/table.hpp"
#include "support/temp_dir.hpp"
#include "teacher/journal.hpp"

namespace evd::judge {
namespace {

using evd::test::TempDir;
using run::Stage;
using run::StageRef;
using shard::Sample;
using shard::Status;
using test::DrawnCampaign;

constexpr StageRef kJudge0{Stage::judge, 0};
constexpr StageRef kJudge1{Stage::judge, 1};
constexpr StageRef kScoreStart{Stage::score, run::kStartRound};

std::vector<Sample> set_of(const DrawnCampaign& drawn, const StageRef& ref) {
  return shard::read_table<Sample>(drawn.open().set_file(ref));
}

template <class Row>
std::vector<Row> rows_of(const DrawnCampaign& drawn, const StageRef& ref, const char* file) {
  return shard::read_table<Row>(drawn.open().directory(ref) / file);
}

std::int64_t count(const std::vector<Sample>& set, Status status) {
  return std::count_if(set.begin(), set.end(),
                       [&](const auto& sample) { return sample.status == status; });
}

// Answers that the server charged for, per request body.
std::map<std::string, int> charged(const DrawnCampaign& drawn) {
  std::map<std::string, int> times;
  for (const auto& file : std::filesystem::directory_iterator(drawn.root() / "rehearsal")) {
    if (!file.path().filename().string().starts_with("ledger-")) continue;
    std::ifstream lines(file.path());
    for (std::string line; std::getline(lines, line);) {
      const auto json = nlohmann::json::parse(line, nullptr, false);
      if (json.is_object())
        times[json.at("request").get<std::string>()] += json.at("answers").get<int>();
    }
  }
  return times;
}

// Older servers of the same wire: no max_completion_tokens, no schema.
TEST(JudgeProgram, APlainChatServerIsEnough) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 4);
  ASSERT_EQ(drawn.judge(2, {"--round", "0"}).code, 0);
  const auto usual = set_of(drawn, kJudge0);
  const auto asked = charged(drawn).size();
  const std::vector<std::string> plain = {"--set", "vlm.token_limit=max_tokens", "--set",
                                          "vlm.structured=none"};
  std::vector<std::string> arguments = {"--round", "0", "--rerun"};
  arguments.insert(arguments.end(), plain.begin(), plain.end());
  auto done = drawn.judge(2, arguments);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(charged(drawn).size(), asked) << "recorded answers stay good";
  arguments = {"--round", "0", "--rerun=fresh", "--yes"};
  arguments.insert(arguments.end(), plain.begin(), plain.end());
  done = drawn.judge(2, arguments);
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_GT(charged(drawn).size(), asked);
  EXPECT_EQ(set_of(drawn, kJudge0).size(), usual.size());
}

// Two rounds and a score, on one rank and on three: the same set, pairs and answers.
TEST(JudgeProgram, TheResultDoesNotDependOnTheNumberOfRanks) {
  std::vector<std::string> contents;
  for (const int ranks : {1, 3}) {
    TempDir directory;
    const DrawnCampaign drawn(directory / "campaign", 24, 8, "[train]\nstaleness = 0\n");
    auto done = drawn.judge(ranks, {"--round", "0"});
    ASSERT_EQ(done.code, 0) << done.story();
    const auto first = set_of(drawn, kJudge0);
    EXPECT_EQ(count(first, Status::member), 24);
    EXPECT_EQ(count(first, Status::heldout), 8);
    EXPECT_EQ(count(first, Status::waiting), 0);
    EXPECT_EQ(rows_of<shard::Pair>(drawn, kJudge0, "pairs.h5").size(), 24U);

    drawn.train_and_evaluate(0);
    drawn.harvest(1);
    done = drawn.judge(ranks, {"--round", "1"});
    ASSERT_EQ(done.code, 0) << done.story();
    const auto second = set_of(drawn, kJudge1);
    EXPECT_GT(count(second, Status::waiting), 0);
    EXPECT_GT(count(second, Status::removed), 0);
    // Every second picture of the base model was blots: the others are learned more often.
    std::array<int, 2> learned = {};
    std::array<int, 2> all = {};
    for (const auto& sample : second) {
      if (sample.times_judged == 0) continue;
      ++all.at(sample.id.low64() % 2);
      if (sample.status == Status::removed) ++learned.at(sample.id.low64() % 2);
    }
    EXPECT_LT(learned[1] * all[0], learned[0] * all[1]);
    std::int64_t trained = 0;
    for (const auto& sample : second) trained += sample.times_trained;
    EXPECT_EQ(trained, DrawnCampaign::kTrainedImages) << "every picture trained on is counted";
    const auto manifest = drawn.open().manifest(kJudge1);
    EXPECT_EQ(manifest->tallies.at("asked"), 24);
    EXPECT_GT(manifest->cost_microusd, 0);

    done = drawn.judge(ranks, {"--start", "--score"});
    ASSERT_EQ(done.code, 0) << done.story();
    std::set<std::string> metrics;
    for (const auto& row : rows_of<shard::Metric>(drawn, kScoreStart, "metrics.h5")) {
      metrics.insert(row.metric.text);
      EXPECT_LE(row.low, row.value);
      EXPECT_GE(row.high, row.value);
    }
    for (const auto* name : {"win_share", "alignment", "alignment_teacher"})
      EXPECT_TRUE(metrics.contains(name)) << name;
    contents.push_back(drawn.content(kJudge0) + drawn.content(kJudge1) +
                       drawn.content(kScoreStart));
  }
  EXPECT_EQ(contents[0], contents[1]);
}

// Bug: held-out pictures that came in a later round were never compared with.
TEST(JudgeProgram, ScoreReadsHeldOutPicturesOfTheHarvestsBehindItsRenders) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 4, "[train]\nstaleness = 0\n");
  drawn.harvest(0, DrawnCampaign::HeldOut::open);
  ASSERT_EQ(drawn.judge(2, {"--round", "0"}).code, 0);
  drawn.train_and_evaluate(0);
  drawn.harvest(1, DrawnCampaign::HeldOut::drawn);
  ASSERT_EQ(drawn.judge(2, {"--round", "1"}).code, 0);
  drawn.train_and_evaluate(1);
  const auto compared = [&](int round) {
    const auto done = drawn.judge(2, {"--round", std::to_string(round), "--score"});
    EXPECT_EQ(done.code, 0) << done.story();
    const StageRef self{Stage::score, round};
    return rows_of<shard::Pair>(drawn, self, "pairs.h5").size();
  };
  EXPECT_EQ(compared(1), 8U);
  // harvest(1) is later than what evaluate(0) rests on: there or not, the score is the same.
  EXPECT_EQ(compared(0), 0U);
}

TEST(JudgeProgram, ARerunDecidesAgainFromStoredAnswersWithoutACall) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 4);
  ASSERT_EQ(drawn.judge(2, {"--round", "0"}).code, 0);
  const auto before = drawn.content(kJudge0);
  const auto paid = charged(drawn).size();
  ASSERT_GT(paid, 0U);
  auto done = drawn.judge(1, {"--round", "0", "--rerun"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(drawn.content(kJudge0), before);
  EXPECT_EQ(charged(drawn).size(), paid);

  // Also when the journals are gone: the retired result holds the answers. Nobody is asked, so
  // nobody has to be there.
  std::filesystem::remove_all(drawn.root() / "calls");
  fs::make_directory(drawn.root() / "calls");
  done = drawn.judge(2, {"--round", "0", "--rerun", "--set", "vlm.base_url=http://127.0.0.1:1/v1",
                         "--set", "vlm.key_env=NO_SUCH_KEY"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(done.err.find("services listen"), std::string::npos) << done.story();
  EXPECT_EQ(charged(drawn).size(), paid);
  const auto sets = set_of(drawn, kJudge0);
  EXPECT_EQ(count(sets, Status::member), 12);
}

TEST(JudgeProgram, FreshAsksEverythingAgainAndLaterRerunsKeepToIt) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 8, 2);
  ASSERT_EQ(drawn.judge(1, {"--round", "0"}).code, 0);
  const auto calls = [&] { return teacher::Journals(drawn.open().calls()).records().size(); };
  const auto first = calls();
  const auto done = drawn.judge(1, {"--round", "0", "--rerun=fresh", "--yes"});
  ASSERT_EQ(done.code, 0) << done.story();
  const auto second = calls();
  EXPECT_GE(second, first + 16);
  const auto content = drawn.content(kJudge0);
  ASSERT_EQ(drawn.judge(1, {"--round", "0", "--rerun"}).code, 0);
  EXPECT_EQ(drawn.content(kJudge0), content);
  EXPECT_EQ(calls(), second);
}

// kill -9 at several of the journal's and publisher's I/O events, then the same command.
TEST(JudgeProgram, KilledAnywhereItGoesOnAndPaysNothingTwice) {
  TempDir whole;
  const DrawnCampaign undisturbed(whole / "campaign", 24, 2);
  ASSERT_EQ(undisturbed.judge(2, {"--round", "0"}).code, 0);
  // Rank 0, which publishes: of the journal's events a rank that gets nothing to do has none.
  for (const char* event : {"2", "12", "24"}) {
    TempDir directory;
    const DrawnCampaign drawn(directory / "campaign", 24, 2);
    const auto killed =
        drawn.judge(2, {"--round", "0"}, {{"EVD_KILL_AT", event}, {"EVD_KILL_RANK", "0"}});
    EXPECT_NE(killed.code, 0) << killed.story();
    EXPECT_FALSE(drawn.open().manifest(kJudge0).has_value());
    const auto again = drawn.judge(2, {"--round", "0"});
    ASSERT_EQ(again.code, 0) << again.story();
    EXPECT_EQ(set_of(drawn, kJudge0).size(), 26U);
    int ambiguous = 0;
    const teacher::Journals journals(drawn.open().calls());
    for (const auto& [key, record] : journals.records()) {
      EXPECT_TRUE(record.has_reply);
      ambiguous += record.intents - record.closed_intents;
    }
    int twice = 0;
    for (const auto& [body, times] : charged(drawn)) twice += times - 1;
    EXPECT_LE(twice, ambiguous);
  }
}

TEST(JudgeProgram, AVlmThatOnlyTalksNonsenseLeavesTheSetUntouched) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 6, 0);
  const auto done = drawn.judge(2, {"--round", "0", "--set", "rehearsal.nonsense_rate=1", "--set",
                                    "vlm.max_attempts=2", "--set", "harvest.service_patience_s=1"});
  EXPECT_EQ(done.code, 69) << done.story();
  EXPECT_NE(done.err.find("have no verdict"), std::string::npos) << done.story();
  EXPECT_FALSE(std::filesystem::exists(drawn.open().set_file(kJudge0)));
  const auto later = drawn.judge(2, {"--round", "0"});
  EXPECT_EQ(later.code, 0) << later.story();
}

// Each is asked for once more, and paid; the round goes on.
TEST(JudgeProgram, FivePercentUnparsableVerdictsCostAQuestionEach) {
  TempDir directory;
  // Half of what is malformed can still be read.
  const DrawnCampaign drawn(directory / "campaign", 150, 0, "", 0.1);
  const auto done = drawn.judge(2, {"--round", "0"});
  ASSERT_EQ(done.code, 0) << done.story();
  std::map<std::pair<SampleId, ImageId>, std::vector<const shard::Answer*>> askings;
  const auto answers = rows_of<shard::Answer>(drawn, kJudge0, "answers.h5");
  for (const auto& answer : answers) askings[{answer.sample, answer.first}].push_back(&answer);
  EXPECT_EQ(askings.size(), 300U) << "both orders of each prompt's two pictures";
  int unparsed = 0;
  for (auto& [question, asked] : askings) {
    std::sort(asked.begin(), asked.end(),
              [](const auto* a, const auto* b) { return a->attempt < b->attempt; });
    for (std::size_t i = 0; i < asked.size(); ++i) {
      const bool is_last = i + 1 == asked.size();
      const bool unread = asked[i]->choice == shard::Choice::unparsed;
      EXPECT_EQ(asked[i]->attempt, static_cast<int>(i));
      EXPECT_TRUE(is_last || unread) << "asked again though it was read";
      unparsed += unread ? 1 : 0;
    }
  }
  EXPECT_GT(unparsed, 5);
  EXPECT_LT(unparsed, 40);
  const auto manifest = drawn.open().manifest(kJudge0);
  EXPECT_EQ(count(set_of(drawn, kJudge0), Status::member), 150);
  EXPECT_EQ(rows_of<shard::Pair>(drawn, kJudge0, "pairs.h5").size(), 150U);
  EXPECT_EQ(manifest->counts.done + manifest->counts.failed, 150);
  EXPECT_LE(manifest->counts.failed, 7) << "judge.max_unjudged";
  EXPECT_EQ(manifest->cost_microusd, 1000 * std::ssize(answers));
  const auto paid = charged(drawn);
  EXPECT_EQ(paid.size(), answers.size());
  for (const auto& [body, times] : paid) EXPECT_EQ(times, 1);
}

// The set is untouched and every answer kept; the message says what helps, and it does.
TEST(JudgeProgram, TooManyUnparsableVerdictsPublishNothing) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 40, 0, "", 1);
  const auto refused = drawn.judge(2, {"--round", "0"});
  EXPECT_EQ(refused.code, 69) << refused.story();
  EXPECT_NE(refused.err.find("comparisons have no verdict"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("unreadable"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("raise judge.max_asks"), std::string::npos) << refused.err;
  EXPECT_FALSE(drawn.open().manifest(kJudge0).has_value());
  const auto before = charged(drawn);
  const auto more = evd::test::run({{evd::test::program("evd"), "set", drawn.root().string(),
                                     "judge.max_asks=12", "--from", "0"}});
  ASSERT_EQ(more.code, 0) << more.story();
  const auto done = drawn.judge(2, {"--round", "0"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(count(set_of(drawn, kJudge0), Status::member), 40);
  EXPECT_EQ(drawn.open().manifest(kJudge0)->counts.failed, 0);
  const auto after = charged(drawn);
  EXPECT_GT(after.size(), before.size());
  for (const auto& [body, times] : after) EXPECT_EQ(times, 1) << "what was read is not asked again";
}

TEST(JudgeProgram, SpentBudgetPublishesWhatItHas) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 0);
  const auto done = drawn.judge(1, {"--round", "0", "--set", "budget.usd=0.01"});
  ASSERT_EQ(done.code, 0) << done.story();
  const auto set = set_of(drawn, kJudge0);
  EXPECT_GT(count(set, Status::waiting), 0);
  EXPECT_EQ(count(set, Status::waiting) + count(set, Status::member), 12);
  EXPECT_LE(drawn.open().manifest(kJudge0)->cost_microusd, 10'000);
}

// What failed is asked again, and only that.
TEST(JudgeProgram, RerunFailedAsksAgainWhatFailed) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 0);
  auto done = drawn.judge(2, {"--round", "0", "--accept-partial", "--set",
                              "rehearsal.fail_rate=0.3", "--set", "vlm.max_attempts=1"});
  ASSERT_EQ(done.code, 0) << done.story();
  auto manifest = drawn.open().manifest(kJudge0);
  ASSERT_GT(manifest->counts.failed + manifest->counts.open, 0) << done.story();
  EXPECT_FALSE(manifest->accepted_partial_by.empty());
  const auto paid = charged(drawn);
  done = drawn.judge(1, {"--round", "0", "--rerun=failed"});
  ASSERT_EQ(done.code, 0) << done.story();
  manifest = drawn.open().manifest(kJudge0);
  EXPECT_EQ(manifest->counts.failed, 0);
  EXPECT_EQ(manifest->counts.open, 0);
  const auto content = drawn.content(kJudge0);
  for (const auto& [body, times] : paid) EXPECT_EQ(charged(drawn).at(body), times);
  ASSERT_EQ(drawn.judge(2, {"--round", "0", "--rerun"}).code, 0);
  EXPECT_EQ(drawn.content(kJudge0), content);
}

// A prompt whose tournament was left open waits; its answers count in the next round.
TEST(JudgeProgram, AnOpenTournamentGoesOnInTheNextRound) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 12, 0, "[train]\nstaleness = 0\n");
  auto done = drawn.judge(1, {"--round", "0", "--set", "budget.usd=0.012"});
  ASSERT_EQ(done.code, 0) << done.story();
  const auto waiting = count(set_of(drawn, kJudge0), Status::waiting);
  ASSERT_GT(waiting, 0);
  drawn.train_and_evaluate(0);
  drawn.harvest(1);
  done = drawn.judge(2, {"--round", "1"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(drawn.open().manifest(kJudge1)->tallies.at("selected"), waiting);
  for (const auto& [body, times] : charged(drawn)) EXPECT_EQ(times, 1);
}

// Under a cap the comparisons come first, then only as many new prompts as there is room for.
TEST(JudgeProgram, ABindingCapAsksInTwoSteps) {
  std::vector<std::string> contents;
  for (const int ranks : {1, 2}) {
    TempDir directory;
    const DrawnCampaign drawn(directory / "campaign", 16, 0,
                              "[train]\nstaleness = 0\n[cap]\nmax_samples = 20\n");
    ASSERT_EQ(drawn.judge(ranks, {"--round", "0"}).code, 0);
    drawn.train_and_evaluate(0);
    drawn.harvest(1);
    const auto done = drawn.judge(ranks, {"--round", "1"});
    ASSERT_EQ(done.code, 0) << done.story();
    const auto manifest = drawn.open().manifest(kJudge1);
    EXPECT_LE(manifest->tallies.at("members") + manifest->tallies.at("waiting"), 20);
    EXPECT_GT(manifest->tallies.at("new_prompts"), 0);
    EXPECT_EQ(manifest->counts.open, 0);
    contents.push_back(drawn.content(kJudge1));
  }
  EXPECT_EQ(contents[0], contents[1]);
}

TEST(JudgeProgram, AStopSavesAndLeavesWith75) {
  TempDir directory;
  const DrawnCampaign drawn(directory / "campaign", 40, 0, "[harvest]\nservice_patience_s = 5\n");
  auto command =
      evd::test::mpirun(2, {evd::test::program("evd-judge"), drawn.root().string(), "--round", "0",
                            "--set", "rehearsal.latency_ms=300", "--set", "vlm.max_in_flight=2"});
  evd::test::Process process({.arguments = command});
  for (bool asked = false; !asked && process.running();)
    for (const auto& file : std::filesystem::recursive_directory_iterator(drawn.root() / "calls"))
      asked = asked || (file.is_regular_file() && file.file_size() > 3000);
  process.signal(SIGUSR1);
  const auto ended = process.wait();
  EXPECT_EQ(ended.code, 75) << ended.story();
  EXPECT_FALSE(drawn.open().manifest(kJudge0).has_value());
  const auto again = drawn.judge(2, {"--round", "0"});
  EXPECT_EQ(again.code, 0) << again.story();
  EXPECT_EQ(count(set_of(drawn, kJudge0), Status::member), 40);
}

// It cannot come back, so nobody waits for it.
TEST(JudgeProgram, AKilledEmbeddedServerEndsTheStageAtOnce) {
  for (const int ranks : {1, 2}) {
    TempDir directory;
    const DrawnCampaign drawn(directory / "campaign", 40, 0,
                              "[harvest]\nservice_patience_s = 120\n");
    auto command = evd::test::mpirun(
        ranks, {evd::test::program("evd-judge"), drawn.root().string(), "--round", "0", "--set",
                "rehearsal.latency_ms=300", "--set", "vlm.max_in_flight=2"});
    evd::test::Process process({.arguments = command});
    ASSERT_TRUE(process.wait_for("the embedded services listen")) << process.err_so_far();
    while (charged(drawn).size() < 8 && process.running()) std::this_thread::yield();
    const pid_t server = process.descendant("evd-rehearsal");
    ASSERT_GT(server, 0) << process.err_so_far();
    const auto killed = std::chrono::steady_clock::now();
    ASSERT_EQ(::kill(server, SIGKILL), 0);
    const auto ended = process.wait();
    EXPECT_EQ(ended.code, 69) << ended.story();
    EXPECT_LT(std::chrono::steady_clock::now() - killed, std::chrono::seconds(20));
    EXPECT_NE(ended.err.find("the embedded services ended (signal 9)"), std::string::npos)
        << ended.err;
    EXPECT_NE(ended.err.find("start the stage again"), std::string::npos) << ended.err;
    EXPECT_FALSE(drawn.open().manifest(kJudge0).has_value());
    EXPECT_LT(charged(drawn).size(), 80U) << "or the kill came too late to show anything";
    const auto again = drawn.judge(ranks, {"--round", "0"});
    ASSERT_EQ(again.code, 0) << again.story();
    EXPECT_EQ(count(set_of(drawn, kJudge0), Status::member), 40);
    int ambiguous = 0;
    const teacher::Journals journals(drawn.open().calls());
    for (const auto& [key, record] : journals.records())
      ambiguous += record.intents - record.closed_intents;
    int twice = 0;
    for (const auto& [body, times] : charged(drawn)) twice += times - 1;
    EXPECT_LE(twice, ambiguous);
    EXPECT_LE(twice, 4) << "what was under way, and nothing that was recorded";
  }
}

}  // namespace
}  // namespace evd::judge
