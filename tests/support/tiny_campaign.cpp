#include "support/tiny_campaign.hpp"

#include <gtest/gtest.h>

#include "shard/manifest.hpp"

namespace evd::test {
namespace {

const char* const kPrompts =
    "a red circle\na blue square\na green triangle\na red square and a blue circle\n"
    "two green circles\nthe word CAT in red letters\nthe word SUN in blue letters\n"
    "a person in a red shirt waving\na person in a blue shirt\na yellow circle\n"
    "a blue triangle left of a red circle\na green square\na yellow square\na red triangle\n";
const char* const kHeldout =
    "a yellow triangle\na blue circle\nthe word DOG in green letters\na person in a green shirt\n"
    "a red circle left of a green square\ntwo blue squares\n";

}  // namespace

TinyCampaign::Texts TinyCampaign::scenes() { return {kPrompts, kHeldout}; }

TinyCampaign::TinyCampaign(const std::vector<std::string>& settings, const Texts& texts)
    : path_(directory_ / "campaign") {
  write_file(directory_ / "prompts.txt", texts.prompts);
  write_file(directory_ / "heldout.txt", texts.heldout);
  std::vector<std::string> arguments = {
      "--config",  (source_directory() / "tests/support/tiny.toml").string(),
      "--prompts", (directory_ / "prompts.txt").string(),
      "--heldout", (directory_ / "heldout.txt").string(),
      "--yes"};
  for (const auto& setting : settings) {
    arguments.push_back("--set");
    arguments.push_back(setting);
  }
  const Finished init = evd("init", arguments);
  EXPECT_EQ(init.code, 0) << init.out << init.err;
  told_ = init.out + init.err;
}

TinyCampaign::TinyCampaign(const TinyCampaign& other) : path_(directory_ / "campaign") {
  std::filesystem::copy(other.path_, path_, std::filesystem::copy_options::recursive);
}

Finished TinyCampaign::evd(const std::string& verb, const std::vector<std::string>& arguments,
                           const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> all = {program("evd"), verb, path_.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return test::run({all, environment, {}, 300});
}

Command TinyCampaign::stage_command(const std::string& name, int ranks,
                                    const std::vector<std::string>& arguments,
                                    const std::map<std::string, std::string>& environment) const {
  std::vector<std::string> all = {program("evd-" + name), path_.string()};
  all.insert(all.end(), arguments.begin(), arguments.end());
  return {mpirun(ranks, all), environment, {}, 300};
}

Finished TinyCampaign::stage(const std::string& name, int ranks,
                             const std::vector<std::string>& arguments,
                             const std::map<std::string, std::string>& environment) const {
  return test::run(stage_command(name, ranks, arguments, environment));
}

void TinyCampaign::run(int rounds, int ranks) const {
  const Finished chain =
      evd("run", {"--rounds", std::to_string(rounds), "--ranks", std::to_string(ranks)});
  ASSERT_EQ(chain.code, 0) << chain.out << chain.err;
}

std::vector<TinyCampaign::Step> TinyCampaign::chain(int rounds) {
  std::vector<Step> steps = {{"evaluate", {"--start"}, "start/evaluate"}};
  for (int round = 0; round < rounds; ++round) {
    const std::string number = std::to_string(round);
    const std::string directory = "rounds/000" + number + "/";
    for (const std::string stage : {"harvest", "judge", "train", "evaluate"})
      steps.push_back({stage, {"--round", number}, directory + stage});
    if (round == 0) steps.push_back({"judge", {"--score", "--start"}, "start/score"});
    steps.push_back({"judge", {"--score", "--round", number}, directory + "score"});
  }
  return steps;
}

std::map<std::string, std::string> TinyCampaign::contents() const {
  std::map<std::string, std::string> digests;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(path_)) {
    if (entry.path().filename() != "MANIFEST.json") continue;
    const auto directory = entry.path().parent_path();
    const auto manifest = shard::read_manifest(directory);
    if (manifest) digests[directory.lexically_relative(path_).string()] = manifest->content.hex();
  }
  return digests;
}

}  // namespace evd::test
