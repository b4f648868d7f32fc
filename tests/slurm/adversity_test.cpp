// What befalls jobs on a shared cluster, for real: preemption, time limits, lost nodes, GPUs.
#include <csignal>
#include <fstream>

#include "slurm/chain.hpp"

namespace evd::test {
namespace {

constexpr StageRef kTrain{Stage::train, 0};
const std::vector<std::string> kLongTrain = {"train.steps_per_round=1500",
                                             "train.checkpoint_every=10"};

class Adversity : public Chain {
 protected:
  static void node(const char* what, const std::string& name) {
    const Finished end =
        test::run({{(source_directory() / "tests/slurm/node.sh").string(), what, name}});
    ASSERT_EQ(end.code, 0) << end.story();
  }
  // Ends a node, as a power cut would, while it trains, and starts it when it is missed.
  static void lose(const TinyCampaign& campaign, const std::string& name) {
    submit(campaign, {"--rounds", "1"});
    const auto checkpoints = run::Campaign(campaign.path()).directory(kTrain) / "state";
    wait_until(campaign, "checkpoint", [&] {
      std::error_code none;
      for (const auto& entry : std::filesystem::directory_iterator(checkpoints, none))
        if (std::filesystem::exists(entry.path() / "index.json", none)) return true;
      return false;
    });
    node("kill", name);
    const TinyCampaign undisturbed(kLongTrain);
    undisturbed.run(1);
    wait_until(campaign, "requeued job", [&] {
      return slurm({"squeue", "--noheader", "--format=%T", "--jobs=" + job_of(campaign, kTrain)}) !=
             "RUNNING\n";
    });
    const auto lease = run::read_lease(run::Campaign(campaign.path()).lease_file(kTrain));
    ASSERT_TRUE(lease);
    EXPECT_FALSE(lease->released) << "nobody was left to release it";
    node("start", name);
    wait_for_the_end(campaign);
    EXPECT_NE(log_of(campaign, 1).find("goes on at step "), std::string::npos)
        << campaign.evd("status").out;
    const auto manifest = shard::read_manifest(run::Campaign(campaign.path()).directory(kTrain));
    ASSERT_TRUE(manifest) << campaign.evd("status").out;
    EXPECT_EQ(manifest->attempt, 2);
    EXPECT_EQ(manifest->job, job_of(campaign, kTrain) + "-1");
    expect_equal(campaign, undisturbed);
  }
  static std::string log_of(const TinyCampaign& campaign, int life) {
    return read_file(
        campaign.path() / "logs" /
        ("train-0000-" + job_of(campaign, kTrain) + "." + std::to_string(life) + ".log"));
  }
};

TEST_F(Adversity, PreemptedByAnUrgentJobItGoesOn) {
  const TinyCampaign campaign(kLongTrain);
  submit(campaign, {"--rounds", "1"});
  wait_until_running(campaign, kTrain);
  // It wants all of both nodes.
  const TempDir place;
  const auto urgent = place / "ran_at";
  slurm({"sbatch", "--wait", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null",
         "--wrap=date -u +%FT%TZ > " + urgent.string()});
  wait_for_the_end(campaign);
  EXPECT_TRUE(has_log(campaign, kTrain, 1)) << campaign.evd("status").out;
  const std::string second_life = log_of(campaign, 1);
  const auto begins = second_life.find(" info train");
  ASSERT_NE(begins, std::string::npos) << second_life;
  EXPECT_LE(read_file(urgent).substr(0, 20), second_life.substr(begins - 20, 20))
      << "the urgent job went first";
  EXPECT_NE(log_of(campaign, 0).find("stopped early, its work is saved"), std::string::npos)
      << log_of(campaign, 0);
  const TinyCampaign undisturbed(kLongTrain);
  undisturbed.run(1);
  expect_equal(campaign, undisturbed);
}

// Work without end meets the shortest limit that Slurm has.
TEST_F(Adversity, ATimeLimitIsMetMaxRestartsTimes) {
  const TinyCampaign campaign({"train.steps_per_round=1000000", "train.checkpoint_every=10000"});
  const TempDir sites;
  const auto file = sites / "limited.toml";
  std::string text = read_file(site());
  const std::string most = "max_restarts = \"20\"";
  text.replace(text.find(most), most.size(), "max_restarts = \"1\"");
  write_file(file, text + "\n[train]\ntime = \"00:01:00\"\nsignal = \"USR1@30\"\n");
  submit(campaign, {"--rounds", "1"}, file.string());
  wait_for_the_end(campaign);
  for (int life = 0; life < 2; ++life)
    EXPECT_NE(log_of(campaign, life).find("stopped early, its work is saved"), std::string::npos)
        << log_of(campaign, life);
  EXPECT_NE(log_of(campaign, 1).find("goes on"), std::string::npos) << log_of(campaign, 1);
  EXPECT_FALSE(has_log(campaign, kTrain, 2));
  const std::string words =
      read_file(campaign.path() / "logs" / ("train-0000-" + job_of(campaign, kTrain) + ".log"));
  EXPECT_NE(words.find("it was started again 1 time, as often as max_restarts in " +
                       campaign.path().string() + "/site.toml allows"),
            std::string::npos)
      << words;
  const Finished status = campaign.evd("status");
  EXPECT_NE(status.out.find("train(0) stopped: its work is saved"), std::string::npos)
      << status.out;
}

TEST_F(Adversity, TheNodeOfTheScriptDies) {
  const TinyCampaign campaign(kLongTrain);
  lose(campaign, "n1");
}

TEST_F(Adversity, TheNodeOfAnotherRankDies) {
  const TinyCampaign campaign(kLongTrain);
  lose(campaign, "n2");
}

// The processes that run a stage's rank, wherever.
std::vector<pid_t> processes_of(const TinyCampaign& campaign, const std::string& rank) {
  std::vector<pid_t> found;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream line(entry.path() / "cmdline", std::ios::binary);
    std::ifstream environment(entry.path() / "environ", std::ios::binary);
    const std::string command{std::istreambuf_iterator<char>(line), {}};
    const std::string variables{std::istreambuf_iterator<char>(environment), {}};
    if (command.find("/evd-train" + std::string(1, '\0') + campaign.path().string()) !=
            std::string::npos &&
        variables.find("SLURM_PROCID=" + rank + std::string(1, '\0')) != std::string::npos)
      found.push_back(std::stoi(name));
  }
  return found;
}

// One rank stops on its node: the job ends itself, comes back and goes on.
TEST_F(Adversity, AHangingJobComesBack) {
  auto settings = kLongTrain;
  settings.emplace_back("train.step_limit_s=10");
  settings.emplace_back("train.phase_limit_s=20");  // it may be stopped in a checkpoint too
  const TinyCampaign campaign(settings);
  submit(campaign, {"--rounds", "1"});
  wait_until_running(campaign, kTrain);
  const auto checkpoints = run::Campaign(campaign.path()).directory(kTrain) / "state";
  wait_until(campaign, "checkpoint", [&] { return std::filesystem::exists(checkpoints); });
  const auto stopped = processes_of(campaign, "1");
  ASSERT_EQ(stopped.size(), 1U);
  ASSERT_EQ(::kill(stopped.front(), SIGSTOP), 0);
  wait_for_the_end(campaign);
  const std::string first_life = log_of(campaign, 0);
  EXPECT_NE(first_life.find("the job hangs: "), std::string::npos) << first_life;
  EXPECT_NE(first_life.find("rank 1 does not move"), std::string::npos) << first_life;
  EXPECT_NE(log_of(campaign, 1).find("goes on at step "), std::string::npos)
      << campaign.evd("status").out;
  const TinyCampaign undisturbed(settings);
  undisturbed.run(1);
  expect_equal(campaign, undisturbed);
}

// A step that never began: srun gives up, and may say 0 all the same.
TEST_F(Adversity, AStepThatNeverBeganIsAFailure) {
  const TinyCampaign campaign;
  const TempDir sites;
  const std::string environment = (sites / "environment.sh").string();
  write_file(environment, "srun() { echo 'srun: error: Timed out waiting for job step' >&2; }\n");
  write_file(sites / "site.toml", "environment = \"" + environment + "\"\n" + read_file(site()));
  submit(campaign, {"--rounds", "1"}, (sites / "site.toml").string());
  wait_for_the_end(campaign);
  const StageRef harvest{Stage::harvest, 0};
  const std::string words =
      read_file(campaign.path() / "logs" / ("harvest-0000-" + job_of(campaign, harvest) + ".log"));
  EXPECT_NE(words.find("srun ended with code 0, but " + campaign.path().string() +
                       "/rounds/0000/harvest/MANIFEST.json is not there"),
            std::string::npos)
      << words;
  EXPECT_FALSE(has_log(campaign, {Stage::judge, 0}, 0)) << "it must not begin";
  const Finished status = campaign.evd("status");
  EXPECT_NE(status.out.find("evd submit " + campaign.path().string() + " --rounds 1\n"),
            std::string::npos)
      << status.out;
}

// The options of configs/sites/gpu-cluster.toml on nodes with its GPUs; an account and a quality of
// service need accounting, which this cluster has not.
TEST_F(Adversity, JobsThatAskForGpusRun) {
  const TinyCampaign campaign;
  const TempDir sites;
  std::string text = read_file(source_directory() / "configs/sites/gpu-cluster.toml");
  const std::string environment = (sites / "environment.sh").string();
  write_file(environment, "echo \"rank sees $CUDA_VISIBLE_DEVICES\"\n");
  const std::string theirs = "/etc/profile.d/modules-evd.sh";
  text.replace(text.find(theirs), theirs.size(), environment);
  for (const char* line : {"ntasks_per_node = \"4\"", "ntasks = \"4\""})
    for (auto at = text.find(line); at != std::string::npos; at = text.find(line, at))
      text.replace(at + std::string(line).size() - 2, 1, "1");
  write_file(sites / "gpu.toml", text);
  submit(campaign, {"--rounds", "1"}, (sites / "gpu.toml").string());
  const std::string job = job_of(campaign, kTrain);
  EXPECT_NE(slurm({"scontrol", "show", "job", job}).find("gres:gpu:4"), std::string::npos);
  wait_for_the_end(campaign);
  EXPECT_NE(read_file(campaign.path() / "logs" / ("train-0000-" + job + ".log"))
                .find("rank sees 0,1,2,3"),
            std::string::npos);
  for (const auto& step : TinyCampaign::chain(1))
    EXPECT_TRUE(campaign.contents().contains(step.directory))
        << step.directory << campaign.evd("status").out;
}

}  // namespace
}  // namespace evd::test
