#include <map>
#include <sstream>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "fault/charges.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"

namespace evd::test {
namespace {

std::string repeated(const std::string& text, std::size_t times) {
  std::string all;
  for (std::size_t i = 0; i < times; ++i) all += text;
  return all;
}

// Each is taken as it stands and has to come out of every file and every export again.
std::vector<std::string> strange_prompts() {
  const std::string long_scene = "a red circle left of a blue square ";  // 35 characters
  return {
      repeated(long_scene, 285) + std::string(25, 'x'),  // 10,000 characters
      repeated("😀", 10'000),
      "👩‍🚀 on a 🐎 under a 🌈",
      "كرة حمراء على طاولة زرقاء",
      "שועל אדום ליד נהר",
      "红色的圆在蓝色的方块左边",
      R"(the word "CAT", said \"twice\"; a 'quote', 100 %s ${HOME} `id` \n)",
      "<script>alert(1)</script> & a <b>red</b> circle",
      "=1+1; DROP TABLE samples; -- a blue square",
      "a yellow circle",
      "a green triangle",
      "two red squares",
  };
}
const std::vector<std::string> kHeldout = {"قطة خضراء صغيرة", "🦊🦊🦊 in the snow",
                                           "a \"quoted\", blue circle", "a red triangle"};

std::string lines_of(const std::vector<std::string>& texts) { return join(texts, "\n") + "\n"; }

// The set that judge(1) published: prompts by id.
std::map<std::string, std::string> prompts_of(const TinyCampaign& campaign) {
  std::map<std::string, std::string> prompts;
  const auto file = campaign.path() / "rounds/0001/judge/set.h5";
  for (const auto& sample : shard::read_table<shard::Sample>(file))
    prompts[sample.id.hex()] = sample.prompt;
  return prompts;
}

std::map<std::string, std::string> prompts_in(const std::string& json_lines) {
  std::map<std::string, std::string> prompts;
  std::istringstream lines(json_lines);
  for (std::string line; std::getline(lines, line);) {
    const auto json = nlohmann::json::parse(line);
    prompts[json.at("id").get<std::string>()] = json.at("prompt").get<std::string>();
  }
  return prompts;
}

// What no line may hold is left out with its line's number; all else goes through two rounds, and
// is the same text in the set, in a query and in the exports.
TEST(StrangePrompts, GoThroughTheWholeChain) {
  const std::string bell = "ring the bell \a\n";
  const std::string turned = "turned \u202e around\n";
  const std::string too_long = std::string(12'001, 'y') + "\n";
  const TinyCampaign campaign(
      {"set.max_prompt_chars=12000"},
      {bell + turned + too_long + lines_of(strange_prompts()), lines_of(kHeldout)});
  for (const char* line : {"1 over-long (line 3)", "2 with control characters (lines 1, 2)"})
    EXPECT_NE(campaign.told().find(line), std::string::npos) << line << campaign.told();
  campaign.run(2);
  expect_nothing_paid_twice(campaign, TinyCampaign::chain(2));

  const auto harvested = shard::read_manifest(campaign.path() / "rounds/0000/harvest");
  ASSERT_TRUE(harvested);
  EXPECT_EQ(harvested->counts.done, 2 * (12 + 4)) << "two pictures of each";

  const auto prompts = prompts_of(campaign);
  std::vector<std::string> texts;
  for (const auto& [id, text] : prompts) texts.push_back(text);
  auto wanted = strange_prompts();
  wanted.insert(wanted.end(), kHeldout.begin(), kHeldout.end());
  for (const auto& text : wanted)
    EXPECT_EQ(std::count(texts.begin(), texts.end(), canonical_prompt(text)), 1) << text;

  const auto query = campaign.evd("query", {"SELECT id, prompt FROM samples", "--jsonl"});
  ASSERT_EQ(query.code, 0) << query.story();
  EXPECT_EQ(prompts_in(query.out), prompts);
  const auto by_text = campaign.evd(
      "query", {"SELECT count(*) AS n FROM samples WHERE prompt LIKE '%طاولة%'", "--csv"});
  EXPECT_EQ(by_text.out, "n\n1\n") << by_text.story();
  const auto exported = campaign.evd("export", {"--set", "1", "--jsonl", "-"});
  ASSERT_EQ(exported.code, 0) << exported.story();
  EXPECT_EQ(prompts_in(exported.out), prompts);
  const auto csv = test::run({{test_python(), "-c",
                               "import csv,sys,json\n"
                               "csv.field_size_limit(10**7)\n"
                               "for row in csv.DictReader(sys.stdin):\n"
                               "  print(json.dumps({k: row[k] for k in ('id', 'prompt')}))"},
                              {},
                              {},
                              120,
                              campaign.evd("export", {"--set", "1", "--csv", "-"}).out});
  ASSERT_EQ(csv.code, 0) << csv.story();
  EXPECT_EQ(prompts_in(csv.out), prompts);

  const auto report = campaign.evd("report");
  ASSERT_EQ(report.code, 0) << report.story();
  EXPECT_EQ(read_file(campaign.path() / "report.html").find("<script>alert"), std::string::npos);
  const auto verify = campaign.evd("verify", {"--deep"});
  EXPECT_EQ(verify.code, 0) << verify.story();
}

}  // namespace
}  // namespace evd::test
