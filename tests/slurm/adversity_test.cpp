// What befalls jobs on a shared cluster, for real: preemption, time limits, GPUs.
#include "slurm/chain.hpp"

namespace evd::test {
namespace {

constexpr StageRef kTrain{Stage::train, 0};
const std::vector<std::string> kLongTrain = {"train.steps_per_round=300",
                                             "train.checkpoint_every=10"};

class Adversity : public Chain {
 protected:
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
  slurm({"sbatch", "--wait", "--partition=urgent", "--nodes=2", "--exclusive", "--output=/dev/null",
         "--wrap=true"});
  EXPECT_FALSE(has_log(campaign, kTrain, 1)) << "the urgent job went first";
  wait_for_the_end(campaign);
  EXPECT_TRUE(has_log(campaign, kTrain, 1)) << campaign.evd("status").out;
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
