// The job scripts, under a Slurm whose srun and scontrol are recorded.
#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace {

namespace fs = std::filesystem;
using evd::test::Finished;

class JobScript : public testing::Test {
 protected:
  JobScript() {
    fs::create_directories(top_ / "bin");
    fs::create_directories(top_ / "prefix/share/evolvedirector");
    fs::create_directories(top_ / "campaign with a space/logs");
    fs::create_directory_symlink(evd::test::source_directory() / "slurm",
                                 top_ / "prefix/share/evolvedirector/slurm");
    write_program("srun",
                  "#!/bin/bash\nprintf '%s\\n' \"$@\" > \"$RECORD\"\n"
                  "echo \"cpus $SRUN_CPUS_PER_TASK site ${SITE-none}\"\nexit \"$CODE\"\n");
    write_program("scontrol", "#!/bin/bash\necho \"scontrol $*\"\n");
    write_program("squeue", "#!/bin/bash\necho RUNNING\n");
    // What follows a requeue: the wait for Slurm to end the script.
    write_program("sleep", "#!/bin/bash\nexit 0\n");
    evd::test::write_file(top_ / "site.env", "export SITE=here\n");
    write_site("environment = \"" + (top_ / "site.env").string() + "\"\nmpi = \"pmi2\"\n");
  }

  void write_program(const std::string& name, const std::string& text) {
    evd::test::write_file(top_ / ("bin/" + name), text);
    fs::permissions(top_ / ("bin/" + name), fs::perms::owner_all);
  }
  void write_site(const std::string& rest) {
    evd::test::write_file(campaign() / "site.toml",
                          "prefix = \"" + (top_ / "prefix").string() + "\"\n" + rest);
  }
  /// What a stage that ended well leaves: the job looks for it.
  void publish(const std::string& stage, const std::vector<std::string>& arguments) {
    const bool scores = std::find(arguments.begin(), arguments.end(), "--score") != arguments.end();
    const auto round = arguments.at(1) == "start" ? fs::path("start")
                                                  : "rounds" / fs::path("000" + arguments.at(1));
    const auto result = campaign() / round / (scores ? "score" : stage);
    fs::create_directories(result);
    evd::test::write_file(result / "MANIFEST.json", "{}");
  }
  [[nodiscard]] fs::path campaign() const { return top_ / "campaign with a space"; }

  Finished submit(const std::string& stage, const std::vector<std::string>& arguments,
                  const std::string& code = "0", const std::string& restarts = "") {
    if (code == "0" && arguments.size() > 1) publish(stage, arguments);
    // Slurm runs a copy, from a place of its own.
    const auto script = top_ / "slurm_script";
    fs::copy_file(evd::test::source_directory() / ("slurm/" + stage + ".sbatch"), script,
                  fs::copy_options::overwrite_existing);
    std::vector<std::string> all = {"bash", script.string()};
    all.insert(all.end(), arguments.begin(), arguments.end());
    return evd::test::run({.arguments = all,
                           .environment = {{"PATH", (top_ / "bin").string() + ":/usr/bin:/bin"},
                                           {"RECORD", (top_ / "record").string()},
                                           {"CODE", code},
                                           {"SLURM_JOB_ID", "4711"},
                                           {"SLURM_CPUS_PER_TASK", "3"},
                                           {"SLURM_RESTART_COUNT", restarts}},
                           .timeout_s = 20});
  }
  [[nodiscard]] std::string log(const std::string& name) const {
    return evd::test::read_file(campaign() / "logs" / name);
  }
  [[nodiscard]] std::string record() const { return evd::test::read_file(top_ / "record"); }

  evd::test::TempDir top_;
};

TEST_F(JobScript, StartsItsStageWithTheArgumentsAsTheyAre) {
  for (const std::string stage : {"harvest", "judge", "train", "evaluate"}) {
    const auto job = submit(stage, {campaign().string(), "3", "--set", "a=b c"});
    EXPECT_EQ(job.code, 0) << job.story();
    EXPECT_EQ(record(), "--mpi=pmi2\n-K1\n" + (top_ / "prefix").string() + "/bin/evd-" + stage +
                            "\n" + campaign().string() + "\n--round\n3\n--set\na=b c\n");
    EXPECT_EQ(log(stage + "-0003-4711.0.log"), "cpus 3 site here\n") << job.story();
    EXPECT_NE(job.out.find("srun --mpi=pmi2 -K1 "), std::string::npos) << job.story();
  }
}

// srun says 0, too, when it gave up waiting for a step.
TEST_F(JobScript, ACodeOfZeroWithoutAResultIsAFailure) {
  write_program("srun", "#!/bin/bash\nexit 0\n");
  const auto job = submit("train", {campaign().string(), "0"}, "none of the stage");
  EXPECT_EQ(job.code, 70) << job.story();
  EXPECT_NE(job.out.find("MANIFEST.json is not there"), std::string::npos) << job.story();
}

TEST_F(JobScript, StartIsARoundOfItsOwn) {
  EXPECT_EQ(submit("evaluate", {campaign().string(), "start"}).code, 0);
  EXPECT_NE(record().find("\n--start\n"), std::string::npos);
  EXPECT_EQ(submit("judge", {campaign().string(), "start", "--score"}).code, 0);
  EXPECT_NE(record().find("\n--start\n--score\n"), std::string::npos);
  EXPECT_NE(log("evaluate-start-4711.0.log"), "");
  EXPECT_NE(log("score-start-4711.0.log"), "");
}

// One file a life, so that no life's words are lost in another's.
TEST_F(JobScript, EveryLifeHasALogOfItsOwn) {
  const auto job = submit("train", {campaign().string(), "11"}, "65", "2");
  EXPECT_EQ(job.code, 65) << job.story();
  EXPECT_EQ(log("train-0011-4711.2.log"), "cpus 3 site here\n");
  EXPECT_NE(job.out.find("cpus 3 site here"), std::string::npos) << "the end of a failed one";
}

// Slurm gives a cancelled job time to save; requeued by its own script it would come back.
TEST_F(JobScript, ACancelledJobIsNotRequeued) {
  write_program("squeue", "#!/bin/bash\necho COMPLETING\n");
  const auto job = submit("train", {campaign().string(), "0"}, "75");
  EXPECT_EQ(job.code, 75);
  EXPECT_EQ(job.out.find("requeue"), std::string::npos) << job.story();
  EXPECT_EQ(job.out.find("max_restarts"), std::string::npos) << job.story();
}

TEST_F(JobScript, AnEnvironmentFileMayReadVariablesThatAreNotSet) {
  evd::test::write_file(top_ / "site.env", "export SITE=\"$NOT_SET\"there\nfalse\n");
  const auto job = submit("train", {campaign().string(), "0"});
  EXPECT_EQ(job.code, 0) << job.story();
  EXPECT_EQ(log("train-0000-4711.0.log"), "cpus 3 site there\n") << job.story();
}

TEST_F(JobScript, ASiteWithoutTheOptionalLinesWorks) {
  write_site("");
  const auto job = submit("train", {campaign().string(), "0"});
  EXPECT_EQ(job.code, 0) << job.story();
  EXPECT_EQ(record().substr(0, 11), "--mpi=pmix\n");
}

TEST_F(JobScript, StoppedEarlyIsRequeued) {
  const auto job = submit("train", {campaign().string(), "0"}, "75");
  EXPECT_EQ(job.code, 75);
  EXPECT_NE(job.out.find("scontrol requeue 4711"), std::string::npos) << job.story();
}

TEST_F(JobScript, ACrashLoopEnds) {
  write_site("max_restarts = \"2\"\n");
  EXPECT_NE(submit("train", {campaign().string(), "0"}, "75", "1").out.find("requeue"),
            std::string::npos);
  const auto job = submit("train", {campaign().string(), "0"}, "75", "2");
  EXPECT_EQ(job.code, 75);
  EXPECT_NE(job.out.find("started again 2 times, as often as max_restarts in " +
                         campaign().string() + "/site.toml allows; its work is saved, evd status"),
            std::string::npos)
      << job.story();
  EXPECT_EQ(job.out.find("requeue"), std::string::npos) << job.story();
}

TEST_F(JobScript, EveryOtherCodeIsPassedOnAndNotRequeued) {
  for (const std::string code : {"65", "69", "78", "137", "1"}) {
    const auto job = submit("harvest", {campaign().string(), "1"}, code);
    EXPECT_EQ(std::to_string(job.code), code);
    EXPECT_EQ(job.out.find("requeue"), std::string::npos);
  }
}

TEST_F(JobScript, SaysWhatIsMissing) {
  EXPECT_NE(submit("train", {}).err.find("campaign directory"), std::string::npos);
  EXPECT_NE(submit("train", {campaign().string()}).err.find("round"), std::string::npos);
  fs::remove(campaign() / "site.toml");
  const auto job = submit("train", {campaign().string(), "0"});
  EXPECT_NE(job.code, 0);
  EXPECT_NE(job.err.find("names no prefix"), std::string::npos) << job.story();
}

}  // namespace
