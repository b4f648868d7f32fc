#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "vlm/answers.hpp"
#include "vlm/json_text.hpp"
#include "vlm/logprobs.hpp"
#include "vlm/prose.hpp"

namespace evd::vlm {
namespace {

using shard::Choice;

Choice read(std::string_view text) { return read_verdict(text, "").choice; }

TEST(Verdict, JsonInAllItsDresses) {
  EXPECT_EQ(read(R"({"winner":"A","confidence":80})"), Choice::first);
  EXPECT_EQ(read(R"({"winner":"B","confidence":80})"), Choice::second);
  EXPECT_EQ(read(R"({"winner":"tie","confidence":0})"), Choice::tie);
  EXPECT_EQ(read("```json\n{\"winner\": \"B\", \"confidence\": 3}\n```"), Choice::second);
  EXPECT_EQ(read("Sure! Here you go: {\"confidence\":12, \"winner\" : \"a\"} Hope it helps {"),
            Choice::first);
  EXPECT_EQ(read("{\"winner\":\"(B)\"}"), Choice::second);
  EXPECT_EQ(read(R"({"winner":"Image A"})"), Choice::first);
  EXPECT_EQ(read(R"({"winner":"neither"})"), Choice::tie);
  EXPECT_EQ(read("<think>maybe {\"winner\":\"A\"}</think>{\"winner\":\"B\"}"), Choice::second);
  EXPECT_EQ(read("{broken {\"winner\":\"A\"}"), Choice::first);
}

TEST(Verdict, ProseInManyPhrases) {
  for (const auto* text : {"A",
                           "(A)",
                           "A.",
                           "**A**",
                           "Image A",
                           "Image A is better.",
                           "(A) is better",
                           "The winner is A.",
                           "The winner is (A).",
                           "I would choose image A over image B.",
                           "Answer: A",
                           "Final answer: (A)",
                           "The first image is better",
                           "I prefer the first one.",
                           "Image B is worse than image A.",
                           "Picture A fits the description more closely.",
                           "Image A clearly looks better because the sky is blue.",
                           "picture a wins",
                           "The better image is A",
                           "Both show a cat.\nA",
                           "Option A matches the prompt best",
                           "A is better than B",
                           "<A> is better",
                           "image B is less accurate"})
    EXPECT_EQ(read(text), Choice::first) << text;
  for (const auto* text :
       {"B", "(B)", "\"B\"", "Image B is better", "B wins", "I pick B", "the second picture wins",
        "Image A is worse", "My choice: B", "verdict: image B", "B is the better one of the two."})
    EXPECT_EQ(read(text), Choice::second) << text;
  for (const auto* text : {"tie", "It is a tie.", "Neither is better", "Neither.", "both",
                           "They are equally good", "Both pictures are equal."})
    EXPECT_EQ(read(text), Choice::tie) << text;
}

// The paper's code looks for one phrase first, so an answer that names both options is a win for
// the teacher there. Here it is no verdict.
TEST(Verdict, NamingBothOptionsIsNoWin) {
  for (const auto* text :
       {"(A) is better or (B) is better", "<(A) is better> or <(B) is better>",
        "Image A is better. Image B is better.", "A is better\nB is better",
        "The winner is A. No: the winner is B.", "A or B", "A and B", "A, B",
        R"({"winner":"A"} {"winner":"B"})", R"({"winner":"A","winner":"B"})",
        R"({"winner":"A|B|tie"})", R"({"winner":["A","B"]})", R"({"winner":"A or B"})",
        "A red circle is better shown in image B", R"({"winner":"A|B)",
        "Image A is better, but neither is good and it is a tie", "image A is not better"})
    EXPECT_EQ(read(text), Choice::unparsed) << text;
}

TEST(Verdict, NonsenseIsUnparsed) {
  for (const auto* text : {"",
                           " ",
                           "{}",
                           "[]",
                           "{",
                           "}",
                           "]{",
                           "null",
                           "42",
                           "<html><body>502</body></html>",
                           "I am sorry, I cannot compare these.",
                           "Image A shows a cat.",
                           "A cat sits on a mat.",
                           "__import__('os').system('rm -rf /')",
                           R"({"winner":null})",
                           R"({"winner":7})",
                           R"({"winner":"C"})",
                           R"({"winner":""})",
                           "\xff\xfe\x00",
                           "{\"winner\":\"A\"",
                           "That depends on a better definition."})
    EXPECT_EQ(read(text), Choice::unparsed) << text;
}

TEST(Verdict, HostileSizesAndDepthsAreBounded) {
  EXPECT_EQ(read(std::string(200'000, '{')), Choice::unparsed);
  EXPECT_EQ(read(std::string(60'000, '[')), Choice::unparsed);
  EXPECT_EQ(read(std::string(70'000, ' ') + R"({"winner":"A"})"), Choice::unparsed);
  std::string deep;
  for (int i = 0; i < kMaxDepth; ++i) deep += "{\"x\":";
  deep += R"({"winner":"A"})" + std::string(kMaxDepth, '}');
  EXPECT_TRUE(find_json(std::string(40, '[') + std::string(40, ']')).size() <= 1);
  (void)read(deep);
}

TEST(Verdict, RandomBytesNeverThrow) {
  Random random(7, Purpose::test);
  constexpr std::string_view kPieces = "{}[]\":,AaBbtie winner\\\n(.)0123456789-";
  for (int i = 0; i < 20'000; ++i) {
    std::string text;
    const auto size = random.below(40);
    for (std::uint64_t k = 0; k < size; ++k)
      text += random.below(8) == 0 ? static_cast<char>(random.below(256))
                                   : kPieces[random.below(kPieces.size())];
    const auto reading = read_verdict(text, text);
    EXPECT_GE(reading.p_first, 0.0F);
    EXPECT_LE(reading.p_first, 1.0F);
    (void)read_variations(text, 3);
    (void)read_mutation(text);
    (void)read_alignment(text);
  }
}

TEST(Verdict, ProbabilityFromConfidenceIsBounded) {
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"A","confidence":0})", "").p_first, 0.5F);
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"A","confidence":100})", "").p_first, 0.95F);
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"B","confidence":100})", "").p_first, 0.05F);
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"B","confidence":"50 %"})", "").p_first, 0.275F);
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"B","confidence":900})", "").p_first, 0.2F);
  EXPECT_FLOAT_EQ(read_verdict("A", "").p_first, 0.8F);
  EXPECT_FLOAT_EQ(read_verdict(R"({"winner":"tie","confidence":90})", "").p_first, 0.5F);
}

// content = {"winner":"A","confidence":70} cut into tokens, the winner's with alternatives.
std::string logprobs(const std::vector<std::pair<std::string, double>>& top,
                     const std::string& winner = "A") {
  nlohmann::json content = nlohmann::json::array();
  for (const std::string piece : {"{\"", "winner", "\":\""})
    content.push_back({{"token", piece}, {"logprob", 0.0}});
  nlohmann::json alternatives = nlohmann::json::array();
  for (const auto& [token, logprob] : top)
    alternatives.push_back({{"token", token}, {"logprob", logprob}, {"bytes", nullptr}});
  content.push_back({{"token", winner}, {"logprob", -0.1}, {"top_logprobs", alternatives}});
  content.push_back({{"token", "\",\"confidence\":70}"}, {"logprob", 0.0}});
  return nlohmann::json{{"content", content}}.dump();
}

TEST(Verdict, ProbabilityFromTheWinnersToken) {
  const std::string said = R"({"winner":"A","confidence":70})";
  const auto reading = read_verdict(said, logprobs({{"A", std::log(0.6)}, {"B", std::log(0.2)}}));
  EXPECT_EQ(reading.evidence, Evidence::token);
  EXPECT_FLOAT_EQ(reading.p_first, 0.75F);
  // Alternatives are grouped by their letters; a tie token counts half.
  EXPECT_FLOAT_EQ(read_verdict(said, logprobs({{"A", std::log(0.3)},
                                               {" a", std::log(0.1)},
                                               {"(B", std::log(0.2)},
                                               {"tie", std::log(0.2)},
                                               {"the", std::log(0.2)}}))
                      .p_first,
                  0.625F);
}

TEST(Verdict, LowCoverageFallsBackToConfidence) {
  const std::string said = R"({"winner":"A","confidence":100})";
  const auto reading = read_verdict(
      said, logprobs({{"A", std::log(0.3)}, {"B", std::log(0.1)}, {"C", std::log(0.6)}}));
  EXPECT_EQ(reading.evidence, Evidence::confidence);
  EXPECT_FLOAT_EQ(reading.p_first, 0.95F);
  EXPECT_EQ(read_verdict(said, logprobs({{"A", -9999.0}, {"B", -9999.0}})).evidence,
            Evidence::confidence);
}

TEST(Verdict, LogprobsOfAnotherAnswerAreIgnored) {
  const auto reading =
      read_verdict(R"({"winner":"B","confidence":100})", logprobs({{"A", std::log(0.9)}}, "A"));
  EXPECT_EQ(reading.choice, Choice::second);
  EXPECT_EQ(reading.evidence, Evidence::confidence);
  for (const auto* broken : {"null", "{}", "[]", R"({"content":null})", R"({"content":[1]})",
                             R"({"content":[{"token":"A"}]})", "{"})
    EXPECT_EQ(read_verdict("A", broken).choice, Choice::first) << broken;
}

TEST(Verdict, ASingleLetterUsesItsToken) {
  const nlohmann::json one = {{"content",
                               {{{"token", "B"},
                                 {"logprob", -0.1},
                                 {"top_logprobs",
                                  {{{"token", "B"}, {"logprob", std::log(0.9)}},
                                   {{"token", "A"}, {"logprob", std::log(0.1)}}}}}}}};
  const auto reading = read_verdict("B", one.dump());
  EXPECT_EQ(reading.evidence, Evidence::token);
  EXPECT_NEAR(reading.p_first, 0.1, 1e-6);
}

}  // namespace
}  // namespace evd::vlm
