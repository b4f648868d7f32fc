// evd doctor as typed: real ranks of this machine, real file systems.
#include <filesystem>

#include <gtest/gtest.h>

#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

namespace fs = std::filesystem;

class Doctor : public testing::Test {
 protected:
  static void write_script(const fs::path& path, const std::string& text) {
    fs::create_directories(path.parent_path());
    write_file(path, "#!/bin/bash\n" + text);
    fs::permissions(path, fs::perms(0755));
  }
  // A launcher that starts each task for itself, as srun does with a plug-in that the MPI does not
  // know; `start` stands before the program.
  [[nodiscard]] Finished with_launcher(const std::string& body) const {
    const auto launcher = directory_ / "mpirun";
    write_script(launcher, "[ \"$1\" != --version ] || exit 0\nshift 2\n" + body);
    return run({.arguments = {program("evd"), "doctor", place().string(), "-n", "2"},
                .environment = {{"EVD_MPIRUN", launcher.string()}}});
  }
  // On a file system of its own, mounted where nobody else sees it.
  [[nodiscard]] Finished on_tmpfs(const std::string& prepare) const {
    return run({{"unshare", "--map-root-user", "--mount", "bash", "-euc",
                 "cd \"$1\"; " + prepare + "\nexec \"$2\" doctor \"$1\" -n 2", "bash",
                 place().string(), program("evd")}});
  }
  [[nodiscard]] fs::path place() const {
    fs::create_directories(directory_ / "place");
    return directory_ / "place";
  }
  TempDir directory_;
};

TEST_F(Doctor, TwoRanksOfThisMachineAreWell) {
  const Finished well = run({{program("evd"), "doctor", place().string(), "-n", "2"}});
  EXPECT_EQ(well.code, 0) << well.story();
  for (const char* said : {"LibTorch loads", "one world of 2 ranks on 1 node", "agree within",
                           "see new and changed files", "one made the same link", ", 0 failed, "})
    EXPECT_NE(well.out.find(said), std::string::npos) << said << well.story();
  EXPECT_TRUE(fs::is_empty(place())) << "something was left over";
}

TEST_F(Doctor, AWorldOfSingletonsIsSeen) {
  const Finished alone = with_launcher(
      "for rank in 0 1; do SLURM_STEP_NUM_TASKS=2 SLURM_PROCID=$rank \"$@\" & done\nwait\n");
  EXPECT_EQ(alone.code, 78) << alone.story();
  EXPECT_NE(alone.out.find("2 tasks were started, and each is alone"), std::string::npos)
      << alone.story();
  EXPECT_NE(alone.out.find("srun --mpi=list"), std::string::npos) << alone.story();
  // One task of two, started without any launcher.
  const Finished one = with_launcher("SLURM_NTASKS=2 exec \"$@\"\n");
  EXPECT_EQ(one.code, 78) << one.story();
  EXPECT_NE(one.out.find("started as one of 2 tasks, but MPI sees 1 rank"), std::string::npos)
      << one.story();
}

TEST_F(Doctor, ALauncherThatStartsNothingIsToldWithItsWords) {
  const Finished dead = with_launcher("echo 'no such interface ib0' >&2; exit 3\n");
  EXPECT_EQ(dead.code, 78) << dead.story();
  EXPECT_NE(dead.out.find("no such interface ib0"), std::string::npos) << dead.story();
  EXPECT_NE(dead.out.find("ended with code 3 and told nothing"), std::string::npos) << dead.story();
}

TEST_F(Doctor, AFullFileSystemFails) {
  const Finished full = on_tmpfs(
      "mount -t tmpfs -o size=64k tmpfs \"$1\"; cd \"$1\"; cat /dev/zero >filler 2>/dev/null || "
      "true");
  EXPECT_EQ(full.code, 74) << full.story();
  EXPECT_NE(full.out.find("failed   write"), std::string::npos) << full.story();
  EXPECT_NE(full.out.find("No space left on device"), std::string::npos) << full.story();
}

TEST_F(Doctor, AReadOnlyFileSystemFails) {
  const Finished fixed = on_tmpfs("mount -t tmpfs -o ro tmpfs \"$1\"");
  EXPECT_EQ(fixed.code, 74) << fixed.story();
  EXPECT_NE(fixed.out.find("Read-only file system"), std::string::npos) << fixed.story();
}

TEST_F(Doctor, APartitionThatIsNotThereIsNamedAndNothingSubmitted) {
  for (const std::string command : {"sbatch", "srun", "squeue", "scancel", "scontrol", "sinfo"})
    write_script(directory_ / ("bin/" + command),
                 "echo \"" + command + " $*\" >>'" + (directory_ / "asked").string() + "'\n" +
                     (command == "sinfo"  ? "[ \"$1\" = --version ] || printf 'main\\nlong\\n'\n"
                      : command == "srun" ? "echo 'MPI plugin types are: none pmi2 pmix'\n"
                                          : ""));
  write_file(directory_ / "my.toml",
             "partition = \"mian\"\nmpi = \"pmix_v9\"\n[train]\npartition = \"long\"\n");
  const Finished doctor =
      run({.arguments = {program("evd"), "doctor", place().string(), "--site",
                         (directory_ / "my.toml").string()},
           .environment = {{"PATH", (directory_ / "bin").string() + ":" + std::getenv("PATH")}}});
  EXPECT_EQ(doctor.code, 78) << doctor.story();
  EXPECT_NE(doctor.out.find("mian, which harvest, judge, evaluate, score should run in, is none"),
            std::string::npos)
      << doctor.story();
  EXPECT_NE(doctor.out.find("did you mean main?"), std::string::npos) << doctor.story();
  EXPECT_NE(doctor.out.find("srun knows no plug-in pmix_v9"), std::string::npos) << doctor.story();
  EXPECT_EQ(read_file(directory_ / "asked").find("--parsable"), std::string::npos);
}

TEST_F(Doctor, WithoutSlurmAClusterCannotBeChecked) {
  write_file(directory_ / "my.toml", "partition = \"main\"\n");
  fs::create_directories(directory_ / "empty");
  const Finished doctor = run({.arguments = {program("evd"), "doctor", place().string(), "--site",
                                             (directory_ / "my.toml").string()},
                               .environment = {{"PATH", (directory_ / "empty").string()}}});
  EXPECT_EQ(doctor.code, 78) << doctor.story();
  EXPECT_NE(doctor.out.find("not on PATH: sbatch, srun, squeue"), std::string::npos)
      << doctor.story();
}

TEST_F(Doctor, KeysAreLookedForAndNeverShown) {
  const TinyCampaign campaign;
  const auto key = directory_ / "key";
  write_file(key, "sk-very-secret-1234\n");
  ASSERT_EQ(campaign
                .evd("set", {"teacher.aurora.base_url=https://images.example/v1",
                             "teacher.aurora.key_file=" + key.string(),
                             "teacher.glyph.base_url=https://images.example/v1",
                             "teacher.glyph.key_env=EVD_TEST_NO_SUCH_KEY"})
                .code,
            0);
  fs::permissions(key, fs::perms(0644));
  const Finished open = campaign.evd("doctor");
  EXPECT_EQ(open.code, 78) << open.story();
  EXPECT_NE(open.out.find("may be read by others"), std::string::npos) << open.story();
  EXPECT_NE(open.out.find("EVD_TEST_NO_SUCH_KEY"), std::string::npos) << open.story();
  fs::permissions(key, fs::perms(0600));
  const Finished well =
      campaign.evd("doctor", {}, {{"EVD_TEST_NO_SUCH_KEY", "sk-other-secret-5678"}});
  EXPECT_EQ(well.code, 0) << well.story();
  EXPECT_NE(well.out.find("ok       key of teacher.aurora"), std::string::npos) << well.story();
  EXPECT_NE(well.out.find("ok       TLS"), std::string::npos) << well.story();
  for (const auto& said : {open, well})
    EXPECT_EQ((said.out + said.err).find("secret"), std::string::npos) << said.story();
  EXPECT_EQ(campaign.evd("verify", {"--deep"}).code, 0);
}

TEST_F(Doctor, ADirectoryThatIsNotThereIsAUsageError) {
  const Finished none = run({{program("evd"), "doctor", (directory_ / "none").string()}});
  EXPECT_EQ(none.code, 64) << none.story();
}

}  // namespace
}  // namespace evd::test
