// evd submit, cancel and status, under a Slurm whose commands are recorded. The real one is in
// tests/slurm.
#include <filesystem>
#include <sstream>

#include <gtest/gtest.h>

#include "run/campaigns.hpp"
#include "slurm_queue.hpp"
#include "support/process.hpp"

namespace evd::test {
namespace {

namespace stdfs = std::filesystem;

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

class Submit : public ::testing::Test {
 protected:
  Submit() {
    make_campaign(root());
    write_file(directory_ / "site.toml",
               "partition = \"batch\"\naccount = \"abc\"\n[train]\npartition = \"gpu\"\n"
               "gres = \"gpu:4\"\nsbatch_options = \"--exclusive --nice=5\"\n[judge]\n"
               "ntasks = \"3\"\n");
    // sbatch keeps what it is given, and jobs.json as it is at that moment.
    fake("sbatch",
         "n=$(( $(cat count 2>/dev/null || echo 100) + 1 )); echo $n > count\n"
         "[ ! -e refuse-$n ] || { echo 'sbatch: error: invalid partition' >&2; exit 1; }\n"
         "printf '%s\\n' \"$@\" > job-$n; env > env-$n; cp c/jobs.json before-$n 2>/dev/null\n"
         "echo \"$n${CLUSTER:+;$CLUSTER}\"");
    fake("squeue", "cat queue 2>/dev/null || true");
    fake("scancel", "echo \"$*\" > cancelled");
  }
  void fake(const std::string& name, const std::string& script) {
    stdfs::create_directories(directory_ / "bin");
    write_file(directory_ / ("bin/" + name),
               "#!/bin/bash\ncd " + directory_.path().string() + "\n" + script + "\n");
    stdfs::permissions(directory_ / ("bin/" + name), stdfs::perms::owner_all);
  }
  [[nodiscard]] stdfs::path root() const { return directory_ / "c"; }
  [[nodiscard]] Finished evd(const std::string& verb, std::vector<std::string> arguments,
                             std::map<std::string, std::string> environment = {}) const {
    arguments.insert(arguments.begin(), {program("evd"), verb, root().string()});
    environment["PATH"] = (directory_ / "bin").string() + ":/usr/bin:/bin";
    return test::run({arguments, environment});
  }
  [[nodiscard]] Finished submit(std::vector<std::string> arguments,
                                const std::map<std::string, std::string>& environment = {}) const {
    arguments.insert(arguments.end(), {"--site", (directory_ / "site.toml").string()});
    return evd("submit", arguments, environment);
  }
  /// The arguments of the fake sbatch's n-th job.
  [[nodiscard]] std::string job(int n) const {
    return read_file(directory_ / ("job-" + std::to_string(n)));
  }
  [[nodiscard]] bool has_job(int n) const {
    return stdfs::exists(directory_ / ("job-" + std::to_string(n)));
  }
  void set_queue(const std::vector<std::pair<std::string, run::StageRef>>& jobs) const {
    std::string text = "7|RUNNING|None|somebody else's\n";
    const CampaignId id = run::Campaign(root()).id();
    for (const auto& [line, ref] : jobs) text += line + "|" + hands::job_comment(id, ref) + "\n";
    write_file(directory_ / "queue", text);
  }
  /// "judge_0001 after harvest_0001 evaluate_0000" of each line of a dry run.
  [[nodiscard]] std::vector<std::string> dependencies(int rounds) const {
    const auto dry = submit({"--rounds", std::to_string(rounds), "--dry-run"});
    EXPECT_EQ(dry.code, 0) << dry.story();
    std::vector<std::string> found;
    for (const auto& line : lines_of(dry.out)) {
      std::string text = line.substr(0, line.find('='));
      const auto at = line.find("--dependency=afterok:");
      if (at != std::string::npos) {
        std::string words = line.substr(at + 21, line.find(' ', at) - at - 21);
        for (char& c : words)
          if (c == ':' || c == '$') c = ' ';
        std::istringstream each(words);
        text += " after";
        for (std::string word; each >> word;) text += " " + word;
      }
      found.push_back(text);
    }
    return found;
  }

  TempDir directory_;
};

using Texts = std::vector<std::string>;

TEST_F(Submit, TheSetMayBeOneRoundOldSoTrainingNeverWaitsForTheJudge) {
  EXPECT_EQ(dependencies(3),
            (Texts{"harvest_0000", "evaluate_start",
                   "score_start after evaluate_start harvest_0000", "judge_0000 after harvest_0000",
                   "train_0000 after judge_0000", "evaluate_0000 after train_0000",
                   "score_0000 after evaluate_0000", "harvest_0001 after judge_0000",
                   "judge_0001 after harvest_0001 evaluate_0000", "train_0001 after train_0000",
                   "evaluate_0001 after train_0001", "score_0001 after evaluate_0001",
                   "harvest_0002 after judge_0001", "judge_0002 after harvest_0002 evaluate_0001",
                   "train_0002 after train_0001 judge_0001", "evaluate_0002 after train_0002",
                   "score_0002 after evaluate_0002"}));
}

TEST_F(Submit, WithoutStalenessTrainingWaitsForTheJudgeOfItsRound) {
  ASSERT_EQ(evd("set", {"train.staleness=0", "--from", "0"}).code, 0);
  const auto all = dependencies(2);
  ASSERT_EQ(all.size(), 12U);
  EXPECT_EQ(all[7], "harvest_0001 after judge_0000");
  EXPECT_EQ(all[8], "judge_0001 after harvest_0001 evaluate_0000");
  EXPECT_EQ(all[9], "train_0001 after judge_0001");
}

TEST_F(Submit, ADryRunLeavesNothingBehind) {
  const auto dry = submit({"--rounds", "1", "--dry-run"});
  EXPECT_EQ(dry.code, 0) << dry.story();
  EXPECT_FALSE(stdfs::exists(root() / "jobs.json"));
  EXPECT_FALSE(stdfs::exists(root() / "site.toml"));
  EXPECT_FALSE(has_job(101));
}

// What it prints can be given to a shell, and then submits the same.
TEST_F(Submit, ADryRunIsAShellScript) {
  const auto dry = submit({"--rounds", "1", "--dry-run"});
  ASSERT_EQ(dry.code, 0) << dry.story();
  write_file(directory_ / "lines.sh", dry.out);
  const auto end = test::run({{"bash", "-eu", (directory_ / "lines.sh").string()},
                              {{"PATH", (directory_ / "bin").string() + ":/usr/bin:/bin"}}});
  ASSERT_EQ(end.code, 0) << end.story();
  EXPECT_NE(job(103).find("--dependency=afterok:102:101\n"), std::string::npos) << job(103);
}

TEST_F(Submit, EveryStageGetsWhatItsSiteSays) {
  const auto done = submit({"--rounds", "1"}, {{"CLUSTER", "east"}});
  ASSERT_EQ(done.code, 0) << done.story();
  for (const char* option :
       {"--parsable", "--kill-on-invalid-dep=yes", "--requeue", "--open-mode=append",
        "--partition=batch", "--account=abc", "--job-name=judge-0000-campaign", "--ntasks=3",
        "--dependency=afterok:101"})
    EXPECT_NE(job(104).find(std::string(option) + "\n"), std::string::npos) << option << job(104);
  EXPECT_NE(job(104).find("/slurm/judge.sbatch\n" + root().string() + "\n0\n"), std::string::npos);
  EXPECT_NE(job(105).find("--partition=gpu\n--account=abc\n--gres=gpu:4\n--exclusive\n--nice=5\n"),
            std::string::npos)
      << job(105);
  EXPECT_NE(job(103).find("/slurm/judge.sbatch\n" + root().string() + "\nstart\n--score\n"),
            std::string::npos)
      << job(103);
  EXPECT_NE(job(103).find("--ntasks=3\n"), std::string::npos) << "score is a job of the judge";
  EXPECT_NE(read_file(root() / "site.toml").find("prefix = \""), std::string::npos);
}

TEST_F(Submit, AJobIsWrittenDownBeforeTheNextOne) {
  write_file(directory_ / "refuse-104", "");
  const auto refused = submit({"--rounds", "1"});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("invalid partition"), std::string::npos) << refused.story();
  EXPECT_FALSE(stdfs::exists(directory_ / "before-101"));
  EXPECT_NE(read_file(directory_ / "before-103").find("\"102\""), std::string::npos);
  EXPECT_NE(read_file(root() / "jobs.json").find("\"103\""), std::string::npos);
  // Typed again, it goes on behind what is in the queue.
  set_queue({{"101|RUNNING|None", {run::Stage::harvest, 0}},
             {"102|PENDING|Priority", {run::Stage::evaluate, run::kStartRound}},
             {"103|PENDING|Dependency", {run::Stage::score, run::kStartRound}}});
  const auto again = submit({"--rounds", "1"});
  EXPECT_EQ(again.code, 0) << again.story();
  EXPECT_NE(again.out.find("job 101 is running"), std::string::npos) << again.story();
  EXPECT_NE(again.out.find("4 jobs submitted"), std::string::npos) << again.story();
  EXPECT_NE(job(105).find("judge.sbatch"), std::string::npos) << job(105);
  EXPECT_NE(job(105).find("--dependency=afterok:101\n"), std::string::npos) << job(105);
}

TEST_F(Submit, KeysDoNotTravelInTheEnvironment) {
  ASSERT_EQ(evd("set", {"teacher.alpha.key_env=ALPHA_KEY"}).code, 0);
  const auto embedded = submit({"--rounds", "1"}, {{"ALPHA_KEY", "sesame"}});
  ASSERT_EQ(embedded.code, 0) << embedded.story();
  EXPECT_EQ(read_file(directory_ / "env-101").find("ALPHA_KEY"), std::string::npos);
  EXPECT_NE(read_file(directory_ / "env-101").find("PATH="), std::string::npos);
  ASSERT_EQ(evd("set", {"teacher.alpha.base_url=https://a.example/v1"}).code, 0);
  const auto refused = submit({"--rounds", "1"}, {{"ALPHA_KEY", "sesame"}});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_EQ(refused.err.find("sesame"), std::string::npos);
  const auto at = refused.err.find("type: evd set ");
  ASSERT_NE(at, std::string::npos) << refused.story();
  EXPECT_NE(refused.err.find("teacher.alpha.key_env= teacher.alpha.key_file=FILE"),
            std::string::npos);
  const auto told = evd("set", {"teacher.alpha.key_env=", "teacher.alpha.key_file=/home/a/key"});
  EXPECT_EQ(told.code, 0) << told.story();
  EXPECT_EQ(submit({"--rounds", "1"}).code, 0);
}

TEST_F(Submit, OneStageOfOneRound) {
  const auto early = submit({"--stage", "judge", "--round", "0"});
  EXPECT_EQ(early.code, 78) << early.story();
  EXPECT_NE(early.err.find("judge(0) reads harvest(0), which is not finished"), std::string::npos);
  const auto done = submit({"--stage", "harvest", "--round", "0", "--rerun=failed"});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_NE(job(101).find("\n0\n--rerun=failed\n"), std::string::npos) << job(101);
  set_queue({{"101|RUNNING|None", {run::Stage::harvest, 0}}});
  const auto twice = submit({"--stage", "harvest", "--round", "0"});
  EXPECT_EQ(twice.code, 78) << twice.story();
  EXPECT_NE(twice.err.find("in the queue already: job 101"), std::string::npos) << twice.story();
  EXPECT_EQ(submit({"--stage", "judge", "--round", "0"}).code, 0);
  EXPECT_NE(job(102).find("--dependency=afterok:101\n"), std::string::npos) << job(102);
  set_queue({{"102|PENDING|Dependency", {run::Stage::judge, 0}}});
  const auto read = submit({"--stage", "harvest", "--round", "0", "--rerun"});
  EXPECT_EQ(read.code, 78) << read.story();
  EXPECT_NE(read.err.find("judge(0) needs it and is in the queue (job 102"), std::string::npos);
  set_queue({});
  const auto fresh = submit({"--stage", "harvest", "--round", "0", "--rerun=fresh"});
  EXPECT_EQ(fresh.code, 64) << fresh.story();
  EXPECT_NE(fresh.err.find("add --yes"), std::string::npos) << fresh.story();
  const auto rest = submit({"--stage", "harvest", "--round", "0", "--rerun", "--then-rest"});
  EXPECT_EQ(rest.code, 78) << "score(start) reads evaluate(start), on which nothing is at work";
  EXPECT_EQ(submit({"--stage", "evaluate", "--round", "start", "--then-rest"}).code, 78);
}

TEST_F(Submit, StatusTellsWhatTheQueueTells) {
  ASSERT_EQ(submit({"--rounds", "1"}).code, 0);
  set_queue({{"101|RUNNING|None", {run::Stage::harvest, 0}},
             {"104|PENDING|Dependency", {run::Stage::judge, 0}},
             {"105|PENDING|Priority", {run::Stage::train, 0}}});
  const auto status = evd("status", {});
  ASSERT_EQ(status.code, 0) << status.story();
  for (const char* text :
       {"harvest(0) running: job 101, running\n",
        "judge(0) queued: job 104, pending (Dependency), after harvest(0)\n",
        "train(0) queued: job 105, pending (Priority), after judge(0)\n",
        "evaluate(start) failed: job 102 ended before the stage began; "
        "logs/evaluate-start-102.log\n",
        "did not end well: score(start), evaluate(0), score(0)\n", "--rounds 1\n"})
    EXPECT_NE(status.out.find(text), std::string::npos) << text << status.story();
  fake("squeue", "echo 'squeue: error: no controller' >&2; exit 1");
  const auto deaf = evd("status", {});
  EXPECT_EQ(deaf.code, 0) << deaf.story();
  EXPECT_NE(deaf.out.find("squeue says: squeue: error: no controller"), std::string::npos)
      << deaf.story();
}

TEST_F(Submit, CancelEndsTheCampaignsOwnJobs) {
  const auto none = evd("cancel", {});
  EXPECT_EQ(none.code, 0) << none.story();
  EXPECT_NE(none.out.find("no job of this campaign"), std::string::npos);
  set_queue({{"101|RUNNING|None", {run::Stage::harvest, 0}},
             {"104|PENDING|Dependency", {run::Stage::judge, 0}},
             {"99|COMPLETING|None", {run::Stage::train, 0}}});
  const auto done = evd("cancel", {});
  ASSERT_EQ(done.code, 0) << done.story();
  EXPECT_EQ(read_file(directory_ / "cancelled"), "101 104\n");
  EXPECT_NE(done.out.find("judge(0): job 104 was pending (Dependency), it will not run"),
            std::string::npos)
      << done.story();
}

TEST_F(Submit, StatusSaysThatItWasCancelledByItsUser) {
  ASSERT_EQ(submit({"--rounds", "1"}).code, 0);
  set_queue({{"101|PENDING|Priority", {run::Stage::harvest, 0}}});
  ASSERT_EQ(evd("cancel", {}).code, 0);
  set_queue({});
  const auto status = evd("status", {});
  EXPECT_NE(status.out.find("cancelled by evd cancel: "), std::string::npos) << status.story();
  EXPECT_EQ(status.out.find("did not end well"), std::string::npos) << status.story();
  ASSERT_EQ(submit({"--rounds", "1"}).code, 0);
  EXPECT_EQ(evd("status", {}).out.find("evd cancel"), std::string::npos);
}

TEST_F(Submit, ASiteThatSlurmTakesNoJobOfDoesNotStay) {
  ASSERT_EQ(submit({"--rounds", "1"}).code, 0);
  const auto before = read_file(root() / "site.toml");
  write_file(directory_ / "site.toml", "partition = \"nowhere\"\n");
  write_file(
      directory_ / ("refuse-" + std::to_string(std::stoi(read_file(directory_ / "count")) + 1)),
      "");
  const auto refused = submit({"--rounds", "2"});
  EXPECT_EQ(refused.code, 78) << refused.story();
  EXPECT_NE(refused.err.find("no job was submitted"), std::string::npos) << refused.story();
  EXPECT_EQ(read_file(root() / "site.toml"), before);
}

TEST_F(Submit, RunWarnsOfJobsThatDoTheSame) {
  ASSERT_EQ(submit({"--rounds", "1"}).code, 0);
  set_queue({{"101|PENDING|Priority", {run::Stage::harvest, 0}}});
  fake("mpirun", "exit 70");
  const auto started = evd("run", {"--rounds", "1"});
  EXPECT_NE(started.err.find("Slurm's queue holds 1 job of this campaign"), std::string::npos)
      << started.story();
}

TEST_F(Submit, WrongSitesAreNamed) {
  const auto site = [&](const std::string& text) {
    write_file(directory_ / "site.toml", text);
    const auto end = submit({"--rounds", "1", "--dry-run"});
    EXPECT_EQ(end.code, 78) << end.story();
    return end.err;
  };
  EXPECT_NE(
      site("\npartitoin = \"x\"\n").find(":2: unknown key partitoin (did you mean partition?)"),
      std::string::npos);
  EXPECT_NE(site("[trane]\ntime = \"1\"\n").find("unknown stage [trane] (did you mean train?)"),
            std::string::npos);
  EXPECT_NE(site("[train]\nmpi = \"pmi2\"\n").find("mpi is for all stages"), std::string::npos);
  EXPECT_NE(site("nodes = 3\n").find(":1: a site file holds lines key = \"value\" only"),
            std::string::npos);
  EXPECT_NE(site("nodes = \"1\"\nnodes = \"2\"\n").find("site.toml:"), std::string::npos);
}

TEST_F(Submit, SaysWhatIsMissing) {
  EXPECT_NE(submit({}).err.find("--rounds N"), std::string::npos);
  EXPECT_EQ(submit({"--rounds", "1", "--rerun"}).code, 64);
  EXPECT_EQ(submit({"--stage", "harvest", "--round", "start"}).code, 64);
  EXPECT_EQ(submit({"--stage", "harvest"}).code, 64);
  const auto frozen = evd("submit", {"--rounds", "1"});
  EXPECT_EQ(frozen.code, 78) << frozen.story();
  EXPECT_NE(frozen.err.find("which site?"), std::string::npos) << frozen.story();
  fake("squeue", "echo 'no controller' >&2; exit 1");
  const auto deaf = submit({"--rounds", "1"});
  EXPECT_EQ(deaf.code, 69) << deaf.story();
}

}  // namespace
}  // namespace evd::test
