// evd gc on a campaign of two rounds in which stages were done again.
#include <algorithm>
#include <csignal>
#include <filesystem>
#include <fstream>

#include <gtest/gtest.h>

#include "run/lease.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

namespace fs = std::filesystem;

// A copy of a campaign: campaigns may be copied, pointers resolve there.
class Copy {
 public:
  explicit Copy(const TinyCampaign& of) : path_(directory_ / "campaign") {
    fs::copy(of.path(), path_, fs::copy_options::recursive);
  }
  [[nodiscard]] fs::path operator/(const std::string& name) const { return path_ / name; }
  [[nodiscard]] Finished evd(const std::string& verb, const std::vector<std::string>& more = {},
                             const std::map<std::string, std::string>& environment = {}) const {
    std::vector<std::string> all = {program("evd"), verb, path_.string()};
    all.insert(all.end(), more.begin(), more.end());
    return test::run({all, environment});
  }
  [[nodiscard]] Finished stage(const std::string& name,
                               const std::vector<std::string>& more) const {
    std::vector<std::string> all = {program("evd-" + name), path_.string()};
    all.insert(all.end(), more.begin(), more.end());
    return test::run({mpirun(2, all)});
  }
  // Lines of the servers' ledgers: what was charged.
  [[nodiscard]] std::int64_t charges() const {
    std::int64_t lines = 0;
    for (const auto& entry : fs::directory_iterator(path_ / "rehearsal")) {
      if (entry.path().extension() != ".jsonl") continue;
      const auto text = read_file(entry.path());
      lines += std::count(text.begin(), text.end(), '\n');
    }
    return lines;
  }
  // Content digests by directory, of results in force or of those set aside.
  [[nodiscard]] std::map<std::string, std::string> results(bool set_aside) const {
    std::map<std::string, std::string> digests;
    for (const auto& entry : fs::recursive_directory_iterator(path_)) {
      if (entry.path().filename() != "MANIFEST.json") continue;
      const auto directory = entry.path().parent_path();
      const auto name = directory.lexically_relative(path_).string();
      if ((name.find(".retired-") != std::string::npos) == set_aside)
        digests[name] = shard::read_manifest(directory).value().content.hex();
    }
    return digests;
  }
  void expect_sound() const {
    const Finished verify = evd("verify", {"--deep"});
    EXPECT_EQ(verify.code, 0) << verify.story();
  }

 private:
  TempDir directory_;
  fs::path path_;
};

class Gc : public testing::Test {
 protected:
  // Round 1 again, stage by stage, and judge(1) twice.
  static void SetUpTestSuite() {
    campaign_ = std::make_unique<TinyCampaign>();
    campaign_->run(2);
    const std::vector<std::pair<std::string, std::vector<std::string>>> again = {
        {"harvest", {"--round", "1", "--rerun"}},
        {"judge", {"--round", "1", "--rerun"}},
        {"judge", {"--round", "1", "--rerun=failed"}},
        {"train", {"--round", "1", "--rerun"}},
        {"evaluate", {"--round", "1", "--rerun"}},
        {"judge", {"--score", "--round", "1", "--rerun"}}};
    for (const auto& [stage, arguments] : again) {
      const Finished done = campaign_->stage(stage, 2, arguments);
      ASSERT_EQ(done.code, 0) << stage << done.story();
    }
  }
  static void TearDownTestSuite() { campaign_.reset(); }
  static std::unique_ptr<TinyCampaign> campaign_;
};
std::unique_ptr<TinyCampaign> Gc::campaign_;

TEST_F(Gc, ADryRunListsAndRemovesNothing) {
  const Copy copy(*campaign_);
  const auto before = copy.results(true);
  ASSERT_EQ(before.size(), 6U);
  const Finished dry = copy.evd("gc", {"--dry-run"});
  ASSERT_EQ(dry.code, 0) << dry.story();
  for (const auto& [name, digest] : before)
    EXPECT_NE(dry.out.find(name + " "), std::string::npos) << name << dry.story();
  EXPECT_NE(dry.out.find("6 paths, "), std::string::npos) << dry.story();
  EXPECT_NE(dry.out.find("would be removed"), std::string::npos) << dry.story();
  EXPECT_EQ(copy.results(true), before);
}

TEST_F(Gc, WhatNothingPointsAtGoesAndARerunPaysNothing) {
  const Copy copy(*campaign_);
  const auto in_force = copy.results(false);
  const auto charged = copy.charges();
  const Finished dry = copy.evd("gc", {"--dry-run"});
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  EXPECT_EQ(dry.out.substr(0, dry.out.rfind("6 paths")), gc.out.substr(0, gc.out.rfind("6 paths")))
      << "the dry run said something else";
  EXPECT_TRUE(copy.results(true).empty()) << gc.story();
  EXPECT_EQ(copy.results(false), in_force);
  copy.expect_sound();
  for (const char* verb : {"status", "report"}) EXPECT_EQ(copy.evd(verb).code, 0) << verb;
  const Finished query =
      copy.evd("query", {"select count(*) from images where won_tournament = 1"});
  EXPECT_EQ(query.code, 0) << query.story();
  const Finished csv = copy.evd("export", {"--set", "1", "--images", (copy / "out").string()});
  EXPECT_EQ(csv.code, 0) << csv.story();
  for (const auto& arguments : std::vector<std::vector<std::string>>{
           {"--round", "1", "--rerun"}, {"--score", "--round", "1", "--rerun"}}) {
    const Finished again = copy.stage("judge", arguments);
    EXPECT_EQ(again.code, 0) << again.story();
  }
  const Finished drawn = copy.stage("harvest", {"--round", "1", "--rerun"});
  EXPECT_EQ(drawn.code, 0) << drawn.story();
  EXPECT_EQ(copy.charges(), charged) << "a rerun paid for what gc had removed";
  EXPECT_EQ(copy.results(false), in_force);
}

// kill -9 at each of its steps: what is left is sound, and the same command finishes.
TEST_F(Gc, KilledAtAnyStepItIsFinishedByTheNext) {
  const Copy calm(*campaign_);
  const auto trace = calm / "trace";
  ASSERT_EQ(calm.evd("gc", {}, {{"EVD_IO_TRACE", trace.string()}}).code, 0);
  const auto text = read_file(trace);
  const auto events = std::count(text.begin(), text.end(), '\n');
  ASSERT_GT(events, 40) << "a rename and some files of six directories";
  // All that touch the first three directories, then some of the others.
  for (std::int64_t at = 1; at <= events; at += at < 24 ? 1 : 5) {
    const Copy copy(*campaign_);
    const auto in_force = copy.results(false);
    const Finished dead = copy.evd("gc", {}, {{"EVD_KILL_AT", std::to_string(at)}});
    ASSERT_EQ(dead.signal, SIGKILL) << at << dead.story();
    EXPECT_EQ(copy.results(false), in_force) << at;
    copy.expect_sound();
    const Finished again = copy.evd("gc");
    EXPECT_EQ(again.code, 0) << at << again.story();
    EXPECT_TRUE(copy.results(true).empty()) << at << again.story();
    EXPECT_EQ(copy.results(false), in_force) << at;
    EXPECT_NE(copy.evd("gc").out.find("0 paths, "), std::string::npos) << at;
  }
}

TEST_F(Gc, PicturesThatStandNowhereElseStay) {
  const Copy copy(*campaign_);
  for (const std::string how : {"--rerun", "--rerun=fresh"}) {
    const Finished again = copy.stage("harvest", {"--round", "0", how, "--yes"});
    ASSERT_EQ(again.code, 0) << again.story();
  }
  // The sets that pointed at the first pictures are decided again from the second ones.
  const Finished rest = copy.evd("run", {"--rounds", "2", "--ranks", "2", "--redo-stale"});
  ASSERT_EQ(rest.code, 0) << rest.story();
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  // Of the two that hold the first pictures one is enough.
  const auto left = copy.results(true);
  ASSERT_EQ(left.size(), 1U) << gc.story();
  EXPECT_EQ(left.begin()->first, "rounds/0000/harvest.retired-002") << gc.story();
  EXPECT_NE(gc.out.find("kept: 36 paid answers stand nowhere else"), std::string::npos)
      << gc.story();
  copy.expect_sound();
}

// The set that is in force points at a file by its SHA-256, wherever that lies.
TEST_F(Gc, TargetsOfTheSetStay) {
  const Copy copy(*campaign_);
  ASSERT_EQ(copy.stage("harvest", {"--round", "0", "--rerun"}).code, 0);
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  EXPECT_EQ(copy.results(true).count("rounds/0000/harvest.retired-001"), 1U) << gc.story();
  EXPECT_NE(gc.out.find("training targets lie in its images-00000.h5"), std::string::npos)
      << gc.story();
  EXPECT_EQ(copy.evd("export", {"--set", "1", "--images", (copy / "out").string()}).code, 0);
  // Decided again, the sets point at the files in force: the old ones go.
  for (const char* round : {"0", "1"})
    ASSERT_EQ(copy.stage("judge", {"--round", round, "--rerun"}).code, 0);
  ASSERT_EQ(copy.evd("gc").code, 0);
  EXPECT_TRUE(copy.results(true).empty());
}

TEST_F(Gc, AnswersThatStandNowhereElseStay) {
  const Copy copy(*campaign_);
  for (const char* reader : {"train", "evaluate", "score"})  // as if they had not been done yet
    fs::remove_all(copy / ("rounds/0001/" + std::string(reader)));
  // Somebody has removed what FORMAT.md says is never to be removed, and one answer of the result
  // in force is not that of the old one any more.
  fs::remove_all(copy / "calls/vlm");
  const auto directory = copy / "rounds/0001/judge";
  auto manifest = shard::read_manifest(directory).value();
  auto answers = shard::read_table<shard::Answer>(directory / "answers.h5");
  ASSERT_FALSE(answers.empty());
  answers.front().text = "something else";
  for (auto& file : manifest.files)
    if (file.name == "answers.h5")
      file = shard::write_table<shard::Answer>(directory / file.name,
                                               {manifest.campaign, 1, "judge", "", ""}, answers);
  manifest.content = shard::content_of(manifest.files);
  shard::publish_manifest(directory, manifest);
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  const auto left = copy.results(true);
  EXPECT_EQ(left.count("rounds/0001/judge.retired-002"), 1U) << gc.story();
  EXPECT_EQ(left.count("rounds/0001/judge.retired-001"), 0U) << gc.story();
  EXPECT_NE(gc.out.find("kept: 1 paid answer stands nowhere else"), std::string::npos)
      << gc.story();
}

// What results in force were made from stays until they are made again.
TEST_F(Gc, WeightsThatARenderWasMadeWithStay) {
  const Copy copy(*campaign_);
  ASSERT_EQ(copy.evd("set", {"train.lr=0.001", "--from", "1"}).code, 0);
  ASSERT_EQ(copy.stage("train", {"--round", "1", "--rerun"}).code, 0);
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  EXPECT_NE(gc.out.find("kept: evaluate(1) was made from it"), std::string::npos) << gc.story();
  ASSERT_EQ(copy.stage("evaluate", {"--round", "1", "--rerun"}).code, 0);
  ASSERT_EQ(copy.stage("judge", {"--score", "--round", "1", "--rerun"}).code, 0);
  ASSERT_EQ(copy.evd("gc").code, 0);
  EXPECT_TRUE(copy.results(true).empty());
}

TEST_F(Gc, WhatCannotBeReadIsKeptAndNamed) {
  const Copy copy(*campaign_);
  write_file(copy / "rounds/0001/train.retired-001/MANIFEST.json", "garbage");
  write_file(copy / "rounds/0001/judge.retired-001/answers.h5", "garbage");
  const Finished gc = copy.evd("gc");
  EXPECT_EQ(gc.code, 65) << gc.story();
  EXPECT_TRUE(fs::exists(copy / "rounds/0001/train.retired-001/model.safetensors"));
  EXPECT_TRUE(fs::exists(copy / "rounds/0001/judge.retired-001/set.h5"));
  EXPECT_FALSE(fs::exists(copy / "rounds/0001/judge.retired-002"));
  EXPECT_NE(gc.err.find("train.retired-001/MANIFEST.json"), std::string::npos) << gc.story();
  EXPECT_NE(gc.err.find("judge.retired-001/answers.h5"), std::string::npos) << gc.story();
}

// Nobody can tell what a damaged result points at.
TEST_F(Gc, NothingGoesWhileAResultInForceIsDamaged) {
  const Copy copy(*campaign_);
  write_file(copy / "rounds/0000/judge/set.h5", "garbage");
  const auto before = copy.results(true);
  const Finished gc = copy.evd("gc");
  EXPECT_EQ(gc.code, 65) << gc.story();
  EXPECT_NE(gc.err.find("rounds/0000/judge/set.h5"), std::string::npos) << gc.story();
  EXPECT_NE(gc.err.find("nothing is removed; first: evd verify"), std::string::npos) << gc.story();
  EXPECT_EQ(copy.results(true), before);
}

TEST_F(Gc, RefusesBesideARunningJob) {
  const Copy copy(*campaign_);
  const auto before = copy.results(true);
  const run::StageRef judge{run::Stage::judge, 1};
  auto holder = run::lease_identity(judge, "test-0", 2);
  write_file(copy / "leases/judge-0001.json", run::to_json(holder));
  for (const auto& more : std::vector<std::vector<std::string>>{{}, {"--dry-run"}}) {
    const Finished gc = copy.evd("gc", more);
    EXPECT_EQ(gc.code, 78) << gc.story();
    EXPECT_NE(gc.err.find("judge(1) is being run by"), std::string::npos) << gc.story();
    EXPECT_NE(gc.err.find("nothing is removed"), std::string::npos) << gc.story();
  }
  EXPECT_EQ(copy.results(true), before);
  ++holder.start_ticks;  // another process had the number
  write_file(copy / "leases/judge-0001.json", run::to_json(holder));
  EXPECT_EQ(copy.evd("gc").code, 0);
  EXPECT_TRUE(copy.results(true).empty());
  EXPECT_TRUE(fs::exists(copy / "leases/judge-0001.json")) << "it counts the lives of the stage";
}

TEST_F(Gc, WhatTheDeadLeftOverGoes) {
  const Copy copy(*campaign_);
  ASSERT_EQ(copy.evd("gc").code, 0);
  // This process lives; a number of no process stands in for one that is gone.
  const std::string gone =
      ".tmp." + std::string(run::lease_identity({}, "", 1).host) + ".4194305.1";
  const std::vector<std::string> left = {
      "rounds/0001/judge/.set.h5" + gone, "calls/vlm/.x.journal" + gone, ".campaign.toml" + gone,
      "leases/train-0001.progress.json", "rounds/0001/train/state/step-000000002"};
  for (const auto& name : left) {
    fs::create_directories((copy / name).parent_path());
    write_file(copy / name, "half");
  }
  const std::string living =
      ".set.h5.tmp." + run::lease_identity({}, "", 1).host + "." + std::to_string(getpid()) + ".1";
  write_file(copy / ("rounds/0001/judge/" + living), "half");
  const Finished gc = copy.evd("gc");
  ASSERT_EQ(gc.code, 0) << gc.story();
  for (const auto& name : left) EXPECT_FALSE(fs::exists(copy / name)) << name << gc.story();
  EXPECT_TRUE(fs::exists(copy / ("rounds/0001/judge/" + living)));
  EXPECT_NE(gc.out.find("5 paths, "), std::string::npos) << gc.story();
  copy.expect_sound();
}

}  // namespace
}  // namespace evd::test
