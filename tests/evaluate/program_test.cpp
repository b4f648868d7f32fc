#include <csignal>
#include <fstream>
#include <thread>

#include <gtest/gtest.h>

#include "core/hash.hpp"
#include "evaluate/small_campaign.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::evaluate {
namespace {

using evd::test::Finished;
using evd::test::mpirun;
using evd::test::TempDir;

const std::string kProgram = evd::test::program("evd-evaluate");
constexpr const char* kPrompts =
    "a red circle\n../../etc/passwd; rm -rf ~\n\n\x01 bad\na \"cat\"\n";

Finished start(const std::filesystem::path& root, int ranks,
               const std::map<std::string, std::string>& environment = {}) {
  return evd::test::run(
      {mpirun(ranks, {kProgram, root.string(), "--start"}), environment, {}, 120});
}

TEST(EvaluateProgram, EndsWithAManifestWhoeverRendered) {
  const TempDir directory;
  std::map<int, Sha256> contents;
  for (const int ranks : {1, 3}) {
    const auto root = directory / std::to_string(ranks);
    test::make_campaign(root, 150, 0);
    const Finished ended = start(root, ranks);
    ASSERT_EQ(ended.code, 0) << ended.err;
    contents[ranks] = shard::read_manifest(root / "start/evaluate").value().content;
  }
  EXPECT_EQ(contents[1], contents[3]);
}

TEST(EvaluateProgram, KilledAtAnyFileAndStartedAgainItEndsTheSame) {
  const TempDir directory;
  test::make_campaign(directory / "whole", 150, 0);
  ASSERT_EQ(start(directory / "whole", 2).code, 0);
  const auto wanted = shard::read_manifest(directory / "whole" / "start/evaluate").value().content;
  for (const auto& [event, rank] : {std::pair{3, 1}, {12, 0}, {16, 0}}) {
    const auto root = directory / std::to_string(event);
    test::make_campaign(root, 150, 0);
    const Finished killed = start(
        root, 2, {{"EVD_KILL_AT", std::to_string(event)}, {"EVD_KILL_RANK", std::to_string(rank)}});
    EXPECT_NE(killed.code, 0) << "event " << event << " of rank " << rank;
    const Finished again = start(root, 2);
    ASSERT_EQ(again.code, 0) << again.err;
    EXPECT_EQ(shard::read_manifest(root / "start/evaluate").value().content, wanted);
  }
}

// Bug: with unequal shares the ranks waited for one another until the whole grace was over.
TEST(EvaluateProgram, ASignalWhileRenderingStopsAllRanksAtOnce) {
  const TempDir directory;
  const auto root = directory / "c";
  test::make_campaign(root, 576, 0, 60);  // 9 parts for 2 ranks
  evd::test::Process process({mpirun(2, {kProgram, root.string(), "--start"})});
  const auto first = root / "start/evaluate/renders-00000.h5";
  while (process.running() && !std::filesystem::exists(first)) std::this_thread::yield();
  process.signal(SIGUSR1);
  const Finished stopped = process.wait();
  EXPECT_EQ(stopped.code, 75) << stopped.story();
  EXPECT_EQ(stopped.err.find("did not follow"), std::string::npos) << stopped.story();
  const Finished again = start(root, 2);
  ASSERT_EQ(again.code, 0) << again.err;
  EXPECT_GT(shard::read_manifest(root / "start/evaluate")->tallies.at("kept_parts"), 0);
}

std::vector<std::string> free_prompts(const std::filesystem::path& root,
                                      const std::filesystem::path& out) {
  return {kProgram,       root.string(), "--prompts", (root / "p.txt").string(),
          "--checkpoint", "0",           "--seeds",   "0..2",
          "--out",        out.string()};
}

TEST(FreePrompts, WithAndWithoutMpirunTheSameFiles) {
  const TempDir directory;
  const auto root = directory / "c";
  test::make_campaign(root, 10, 10);
  evd::test::write_file(root / "p.txt", kPrompts);
  const Finished alone = evd::test::run({free_prompts(root, directory / "one"), {}, {}, 120});
  ASSERT_EQ(alone.code, 0) << alone.err;
  EXPECT_NE(alone.err.find("left out 1 with control characters (line 4)"), std::string::npos)
      << alone.err;
  const Finished two =
      evd::test::run({mpirun(2, free_prompts(root, directory / "two")), {}, {}, 120});
  ASSERT_EQ(two.code, 0) << two.err;

  std::set<std::string> names;
  for (const auto& entry : std::filesystem::directory_iterator(directory / "one"))
    names.insert(entry.path().filename().string());
  EXPECT_EQ(names,
            (std::set<std::string>{"00001-seed-0.png", "00001-seed-1.png", "00001-seed-2.png",
                                   "00002-seed-0.png", "00002-seed-1.png", "00002-seed-2.png",
                                   "00005-seed-0.png", "00005-seed-1.png", "00005-seed-2.png",
                                   "contact-001.png", "images-00000.h5", "index.csv"}));
  names.erase("images-00000.h5");  // its header holds the time
  for (const auto& name : names)
    EXPECT_EQ(fs::sha256_file(directory / "one" / name), fs::sha256_file(directory / "two" / name))
        << name;
}

TEST(FreePrompts, SheetIndexAndShardAgree) {
  const TempDir directory;
  const auto root = directory / "c";
  test::make_campaign(root, 10, 10);
  evd::test::write_file(root / "p.txt", kPrompts);
  ASSERT_EQ(evd::test::run({free_prompts(root, directory / "out"), {}, {}, 120}).code, 0);
  const auto sheet = image::probe(fs::read_bytes(directory / "out" / "contact-001.png"));
  EXPECT_EQ(sheet.width, 3 * 36 + 4);
  EXPECT_EQ(sheet.height, 3 * 36 + 4);
  const std::string index = fs::read_text(directory / "out" / "index.csv");
  EXPECT_NE(index.find("00005-seed-1.png,5,1,\"a \"\"cat\"\"\"\n"), std::string::npos) << index;
  const shard::Table<shard::Image> table(directory / "out" / "images-00000.h5");
  const auto rows = table.read();
  ASSERT_EQ(rows.size(), 9U);
  EXPECT_EQ(rows[4].seed, 1);
  EXPECT_EQ(table.blob(4), fs::read_bytes(directory / "out" / "00002-seed-1.png"));
}

TEST(FreePrompts, TablesByColumn) {
  const TempDir directory;
  const auto root = directory / "c";
  test::make_campaign(root, 10, 10);
  evd::test::write_file(directory / "p.csv", "id,said\n1,a red circle\n");
  auto arguments = free_prompts(root, directory / "out");
  arguments[3] = (directory / "p.csv").string();
  const Finished open = evd::test::run({arguments, {}, {}, 120});
  EXPECT_EQ(open.code, 78) << open.story();
  EXPECT_NE(open.err.find("Give --column"), std::string::npos) << open.err;
  arguments.insert(arguments.end(), {"--column", "said"});
  ASSERT_EQ(evd::test::run({arguments, {}, {}, 120}).code, 0);
  EXPECT_NE(
      fs::read_text(directory / "out/index.csv").find("00002-seed-0.png,2,0,\"a red circle\""),
      std::string::npos);
}

TEST(FreePrompts, HelpIsOneAndShowsAll) {
  const Finished help = evd::test::run({{kProgram, "--help"}});
  EXPECT_EQ(help.code, 0) << help.story();
  for (const char* option :
       {"--round", "--rerun", "--prompts", "--column", "--checkpoint", "--seeds LIST=0", "--out"})
    EXPECT_NE(help.out.find(option), std::string::npos) << option << help.story();
  EXPECT_EQ(evd::test::run({{kProgram, "--prompts", "p.txt", "--help"}}).out, help.out);
  const Finished alone = evd::test::run({{kProgram, "c", "--checkpoint", "0", "--out", "x"}});
  EXPECT_EQ(alone.code, 64) << alone.story();
  EXPECT_NE(alone.err.find("--prompts"), std::string::npos) << alone.story();
}

TEST(FreePrompts, MistakesAreSaidInOneLineWithTheirCode) {
  const TempDir directory;
  const auto root = directory / "c";
  test::make_campaign(root, 10, 10);
  evd::test::write_file(root / "p.txt", kPrompts);
  const auto run = [&](std::size_t at, const std::string& value) {
    auto arguments = free_prompts(root, directory / "out");
    arguments[at] = value;
    return evd::test::run({arguments, {}, {}, 120});
  };
  EXPECT_EQ(run(1, "/nowhere").code, 78);
  EXPECT_EQ(run(3, "/nowhere.txt").code, 74);
  EXPECT_EQ(run(7, "3..1").code, 64);
  EXPECT_EQ(run(5, "newest").code, 64);
  const Finished untrained = run(5, "7");
  EXPECT_EQ(untrained.code, 65);
  EXPECT_NE(untrained.err.find("evd-train"), std::string::npos) << untrained.err;
  auto weights = fs::read_text(root / "rounds/0000/train/model.safetensors");
  weights[weights.size() / 2] ^= 1;
  evd::test::write_file(root / "rounds/0000/train/model.safetensors", weights);
  const Finished damaged = run(5, "0");
  EXPECT_EQ(damaged.code, 65);
  EXPECT_NE(damaged.err.find("--round 0 --rerun"), std::string::npos) << damaged.err;
  const Finished misspelt = run(4, "--checkpiont");
  EXPECT_EQ(misspelt.code, 64);
  EXPECT_NE(misspelt.err.find("did you mean --checkpoint?"), std::string::npos) << misspelt.err;
}

}  // namespace
}  // namespace evd::evaluate
