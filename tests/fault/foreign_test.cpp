#include <gtest/gtest.h>

#include "shard/manifest.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

// One of another's files, or of another result, lying where one of ours was.
struct Swap {
  std::string file;     // of ours that goes, relative to the campaign
  std::string foreign;  // of the other's that comes
  TinyCampaign::Step reader;
  std::string what;  // the message has
  std::string then;  // and what to do
};

const std::string kHarvest = "rounds/0000/harvest/images-00000.h5";
const std::string kRenders = "rounds/0000/evaluate/renders-00000.h5";
const std::string kStartRenders = "start/evaluate/renders-00000.h5";
const TinyCampaign::Step kJudge{"judge", {"--round", "0"}, "rounds/0000/judge"};
const TinyCampaign::Step kScore{"judge", {"--score", "--round", "0"}, "rounds/0000/score"};
const TinyCampaign::Step kTrain{"train", {"--round", "0"}, "rounds/0000/train"};
const TinyCampaign::Step kEvaluate{"evaluate", {"--round", "0"}, "rounds/0000/evaluate"};
const TinyCampaign::Step kStart{"evaluate", {"--start"}, "start/evaluate"};
const TinyCampaign::Step kNext{"harvest", {"--round", "1"}, "rounds/0001/harvest"};

// Sound files with right checksums, of the same prompts: only their heads say whose they are. The
// stage that reads one refuses, publishes nothing and pays nothing, and goes on once the file is
// back; the rest of the campaign stays usable.
TEST(ForeignFile, IsRefusedByWhoeverReadsIt) {
  const TinyCampaign ours;
  const TinyCampaign theirs({"campaign.seed=8"});
  ours.run(1);
  theirs.run(1);
  const std::vector<Swap> swaps = {
      {"prompts/set.h5", "prompts/set.h5", kStart, "is of init round 0 of campaign",
       "restore the file"},
      {kHarvest, kHarvest, kJudge, "is of harvest round 0 of campaign",
       "or make it again: evd-harvest"},
      {kHarvest, kHarvest, kTrain, "is of campaign", "(was it copied here?)"},
      {"rounds/0000/judge/set.h5", "rounds/0000/judge/set.h5", kTrain,
       "set.h5: ", "or make it again: evd-judge"},
      {"rounds/0000/judge/set.h5", "rounds/0000/judge/set.h5", kNext,
       "set.h5: ", "or make it again: evd-judge"},
      {"rounds/0000/train/model.safetensors", "rounds/0000/train/model.safetensors", kEvaluate,
       "not the bytes that train(0) published", "evd-train"},
      {kRenders, kRenders, kScore, "is of evaluate round 0 of campaign",
       "or make it again: evd-evaluate"},
      {kRenders, kStartRenders, kScore, "renders-00000.h5: ", "or make it again: evd-evaluate"}};
  for (const auto& [file, foreign, reader, what, then] : swaps) {
    const std::string scene = foreign + " as " + file;
    const TinyCampaign mixed(ours);
    stdfs::remove_all(mixed.path() / reader.directory);
    const std::string whole = read_file(mixed.path() / file);
    write_file(mixed.path() / file, read_file((foreign == file ? theirs : ours).path() / foreign));
    const Finished refused = mixed.stage(reader.program, 2, reader.arguments);
    EXPECT_EQ(refused.code, 65) << scene << refused.story();
    for (const auto& part : {file, what, then})
      EXPECT_NE(refused.err.find(part), std::string::npos) << scene << refused.story();
    EXPECT_FALSE(shard::read_manifest(mixed.path() / reader.directory)) << scene;
    const Finished told = mixed.evd("verify");
    EXPECT_EQ(told.code, 65) << scene << told.story();
    EXPECT_NE(told.out.find(file), std::string::npos) << scene << told.story();
    write_file(mixed.path() / file, whole);
    const Finished again = mixed.stage(reader.program, 2, reader.arguments);
    EXPECT_EQ(again.code, 0) << scene << again.story();
  }
}

// A whole result, manifest and all.
TEST(ForeignFile, AWholeForeignResultIsNone) {
  const TinyCampaign ours;
  const TinyCampaign theirs({"campaign.seed=8"});
  for (const auto* campaign : {&ours, &theirs})
    ASSERT_EQ(campaign->stage("harvest", 2, {"--round", "0"}).code, 0);
  stdfs::remove_all(ours.path() / "rounds/0000/harvest");
  stdfs::copy(theirs.path() / "rounds/0000/harvest", ours.path() / "rounds/0000/harvest",
              stdfs::copy_options::recursive);
  const Finished refused = ours.stage("judge", 2, {"--round", "0"});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("harvest(0), which is damaged"), std::string::npos) << refused.err;
  EXPECT_NE(refused.err.find("not of harvest(0) of this one (was it copied here?)"),
            std::string::npos)
      << refused.err;
  EXPECT_NE(refused.err.find("first: evd-harvest"), std::string::npos) << refused.err;
  // What it says to type asks nobody: every picture is recorded.
  const auto rerun = ours.stage("harvest", 2, {"--round", "0", "--rerun"});
  ASSERT_EQ(rerun.code, 0) << rerun.story();
  EXPECT_EQ(ours.stage("judge", 2, {"--round", "0"}).code, 0);
}

}  // namespace
}  // namespace evd::test
