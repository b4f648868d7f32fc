#include "teacher/segment.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "support/temp_dir.hpp"
#include "teacher/journal.hpp"

namespace evd::teacher {
namespace {

RequestKey key_of(const std::string& name) { return RequestKey(sha256(name).bytes()); }

Intent intent_of(const std::string& name, int attempt = 0) {
  return {.key = key_of(name),
          .service = "aurora",
          .stage = "harvest",
          .round = 3,
          .attempt = attempt,
          .rank = 1,
          .job = "job-0",
          .budget_line = "main",
          .max_cost_microusd = 40'000,
          .started_ms = 1000};
}

End end_of(const std::string& name, int attempt, shard::Outcome outcome, Charge charge) {
  return {.key = key_of(name),
          .attempt = attempt,
          .status = 200,
          .outcome = outcome,
          .reason = "",
          .charge = charge,
          .cost_microusd = charge == Charge::paid ? 40'000 : 0,
          .finished_ms = 2000};
}

std::string answered(const std::string& name, int attempt, const std::string& payload) {
  Reply reply{.model_echo = "m",
              .request_id = "id-\xff",
              .revised_prompt = "r",
              .logprobs_json = "{}",
              .asked_ms = 1000,
              .attempts = attempt + 1};
  const Bytes bytes = as_bytes(payload);
  reply.payload.assign(bytes.begin(), bytes.end());
  return encode(end_of(name, attempt, shard::Outcome::ok, Charge::paid), reply);
}

class SegmentTest : public ::testing::Test {
 protected:
  void write(const std::string& bytes, const std::string& name = "job-0") const {
    std::filesystem::create_directories(calls() / "aurora");
    const auto file = calls() / "aurora" / (name + ".journal");
    std::filesystem::remove(file);  // ext4 flushes a file that is written over
    test::write_file(file, bytes);
  }
  [[nodiscard]] std::filesystem::path calls() const { return directory_ / "calls"; }
  test::TempDir directory_;
};

TEST_F(SegmentTest, AnswersComeBackWhole) {
  write(segment_head() + encode(intent_of("a")) + answered("a", 0, "the picture"));
  const Journals journals(calls());
  EXPECT_TRUE(journals.problems().empty());
  const auto reply = journals.reply(key_of("a"));
  ASSERT_TRUE(reply);
  EXPECT_EQ(std::string(reinterpret_cast<const char*>(reply->payload.data()), 11), "the picture");
  EXPECT_EQ(reply->key, key_of("a"));
  EXPECT_EQ(reply->outcome, shard::Outcome::ok);
  EXPECT_EQ(reply->model_echo, "m");
  EXPECT_EQ(reply->revised_prompt, "r");
  EXPECT_EQ(reply->logprobs_json, "{}");
  EXPECT_EQ(reply->cost_microusd, 40'000);
  EXPECT_EQ(reply->asked_ms, 1000);
  EXPECT_EQ(reply->answered_ms, 2000);
  EXPECT_EQ(reply->attempts, 1);
  EXPECT_FALSE(journals.reply(key_of("b")));
  const Recorded& recorded = journals.records().at(key_of("a"));
  EXPECT_EQ(recorded.intents, 1);
  EXPECT_EQ(recorded.closed_intents, 1);
  EXPECT_EQ(recorded.payload_bytes, 11U);
  EXPECT_EQ(recorded.ambiguous_microusd, 0);
}

// More of them than stay open at once; a damaged record does not spoil what comes after it.
TEST_F(SegmentTest, OneReaderGivesTheAnswersOfManySegments) {
  constexpr int kSegments = 70;
  const auto name = [](int i) { return "k" + std::to_string(i); };
  for (int i = 0; i < kSegments; ++i)
    write(segment_head() + encode(intent_of(name(i))) + answered(name(i), 0, "picture " + name(i)),
          "job-" + std::to_string(i));
  const Journals journals(calls());
  ReplyReader reader;
  for (int turn = 0; turn < 2; ++turn)
    for (int i = 0; i < kSegments; ++i) {
      const auto reply = journals.reply(key_of(name(i)), reader);
      ASSERT_TRUE(reply) << i;
      EXPECT_EQ(reply->key, key_of(name(i)));
      EXPECT_EQ(reply->payload, journals.reply(key_of(name(i)))->payload);
    }
  EXPECT_THROW(static_cast<void>(reader.read(calls() / "aurora/job-1.journal", 1)), DataError);
  EXPECT_TRUE(journals.reply(key_of(name(1)), reader));
}

TEST_F(SegmentTest, AnIntentWithoutAnEndIsAmbiguous) {
  write(segment_head() + encode(intent_of("a")) +
        encode(end_of("a", 0, shard::Outcome::open, Charge::none)) + encode(intent_of("a", 1)) +
        encode(intent_of("b")) + encode(end_of("b", 0, shard::Outcome::open, Charge::unusable)));
  const Journals journals(calls());
  const Recorded& a = journals.records().at(key_of("a"));
  EXPECT_EQ(a.intents, 2);
  EXPECT_EQ(a.closed_intents, 1);
  EXPECT_EQ(a.no_answer, 1);
  EXPECT_EQ(a.ambiguous_microusd, 40'000);
  EXPECT_FALSE(a.has_reply);
  const Recorded& b = journals.records().at(key_of("b"));
  EXPECT_EQ(b.no_answer, 0);
  EXPECT_EQ(b.intents - b.closed_intents, 1);
  EXPECT_EQ(journals.spent_microusd("main"), 80'000);
  EXPECT_EQ(journals.spent_microusd("heldout"), 0);
  const auto rows = journals.calls("harvest", 3);
  ASSERT_EQ(rows.size(), 3U);
  int ambiguous = 0;
  for (const auto& row : rows) ambiguous += row.ambiguous;
  EXPECT_EQ(ambiguous, 2);
  EXPECT_TRUE(journals.calls("harvest", 2).empty());
  EXPECT_TRUE(journals.calls("judge", 3).empty());
}

TEST_F(SegmentTest, APictureIsBetterThanARefusalIsBetterThanAFailureThenTheNewer) {
  const auto failed = [](int attempt, std::int64_t when) {
    End end = end_of("a", attempt, shard::Outcome::failed, Charge::none);
    end.reason = std::to_string(when);
    end.finished_ms = when;
    return encode(end, Reply{});
  };
  write(segment_head() + encode(intent_of("a")) + answered("a", 0, "x"), "life-1");
  write(segment_head() + encode(intent_of("a", 1)) + failed(1, 9000), "life-2");
  EXPECT_EQ(Journals(calls()).reply(key_of("a"))->outcome, shard::Outcome::ok);
  std::filesystem::remove(calls() / "aurora" / "life-1.journal");
  write(segment_head() + encode(intent_of("a", 2)) + failed(2, 8000), "life-3");
  EXPECT_EQ(Journals(calls()).reply(key_of("a"))->reason, "9000");
}

TEST_F(SegmentTest, ATornTailEndsTheFile) {
  const std::string first = segment_head() + encode(intent_of("a")) + answered("a", 0, "one");
  const std::string all = first + encode(intent_of("b")) + answered("b", 0, "two");
  for (std::size_t length = 0; length < all.size(); ++length) {
    write(all.substr(0, length));
    const Journals journals(calls());
    EXPECT_TRUE(journals.problems().empty()) << length << journals.problems().front();
    EXPECT_EQ(journals.reply(key_of("a")).has_value(), length >= first.size()) << length;
    EXPECT_FALSE(journals.reply(key_of("b"))) << length;
  }
}

// Whatever byte is another: nothing false comes back, and the other records stay usable.
TEST_F(SegmentTest, AnyFlippedByteLosesAtMostItsOwnRecord) {
  const std::string head = segment_head();
  const std::string a = encode(intent_of("a")) + answered("a", 0, "one");
  const std::string b = encode(intent_of("b")) + answered("b", 0, "two");
  const std::string all = head + a + b;
  for (std::size_t at = head.size(); at < all.size(); ++at) {
    std::string damaged = all;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x20);
    write(damaged);
    const Journals journals(calls());
    const auto text = [&](const std::string& name) -> std::string {
      try {
        const auto reply = journals.reply(key_of(name));
        if (!reply) return "none";
        return {reinterpret_cast<const char*>(reply->payload.data()), reply->payload.size()};
      } catch (const DataError&) {
        return "damaged";
      }
    };
    const bool in_a = at < head.size() + a.size();
    EXPECT_EQ(text(in_a ? "b" : "a"), in_a ? "two" : "one") << at;
    const std::string own = text(in_a ? "a" : "b");
    EXPECT_TRUE(own == "none" || own == "damaged" || own == (in_a ? "one" : "two")) << at << own;
  }
}

TEST_F(SegmentTest, AnotherFileIsReportedAndPassedOver) {
  write("this is not a journal at all", "stranger");
  write(segment_head() + encode(intent_of("a")) + answered("a", 0, "one"));
  const Journals journals(calls());
  ASSERT_EQ(journals.problems().size(), 1U);
  EXPECT_NE(journals.problems()[0].find("stranger.journal"), std::string::npos);
  EXPECT_TRUE(journals.reply(key_of("a")));
}

TEST_F(SegmentTest, ASettledAnswerKeepsItsBooksAndGivesUpItsPayload) {
  write(segment_head() + encode(intent_of("a")) + answered("a", 0, std::string(5000, 'x')) +
        encode(intent_of("b")) + answered("b", 0, "two") + encode(intent_of("c")));
  const auto file = calls() / "aurora" / "job-0.journal";
  const auto before = std::filesystem::file_size(file);
  const Journals whole(calls());
  const auto rows = whole.calls("harvest", 3);
  const auto only_a = [](const RequestKey& key) { return key == key_of("a"); };
  EXPECT_EQ(whole.settle("harvest", 2, only_a), 0) << "another round's files are left alone";
  EXPECT_EQ(whole.settle("harvest", 3, only_a), 1);
  EXPECT_EQ(before - std::filesystem::file_size(file), 5000U);
  const Journals after(calls());
  EXPECT_TRUE(after.problems().empty());
  EXPECT_TRUE(after.find(key_of("a"))->has_reply);
  EXPECT_FALSE(after.reply(key_of("a"))) << "its payload is elsewhere";
  EXPECT_TRUE(after.reply(key_of("b")));
  EXPECT_EQ(after.spent_microusd("main"), whole.spent_microusd("main"));
  EXPECT_EQ(after.calls("harvest", 3).size(), rows.size());
  EXPECT_EQ(after.settle("harvest", 3, only_a), 0) << "nothing is left to take out";
}

TEST_F(SegmentTest, ADamagedOrTornSegmentIsNotSettled) {
  const std::string whole = segment_head() + encode(intent_of("a")) + answered("a", 0, "one");
  const auto all = [](const RequestKey&) { return true; };
  std::string damaged = whole + encode(intent_of("b")) + answered("b", 0, "two");
  damaged[whole.size() + 3] ^= 1;
  for (const auto& bytes : {damaged, whole + "torn"}) {
    write(bytes);
    EXPECT_EQ(Journals(calls()).settle("harvest", 3, all), 0);
  }
}

TEST_F(SegmentTest, NewSegmentsAreReadOnTop) {
  write(segment_head() + encode(intent_of("a")) + answered("a", 0, "one"));
  Journals journals(calls());
  write(segment_head() + encode(intent_of("b")) + answered("b", 0, "two"), "job-1");
  EXPECT_FALSE(journals.find(key_of("b")));
  journals.read_new({(calls() / "aurora" / "job-1.journal").string()});
  EXPECT_TRUE(journals.reply(key_of("b")));
  EXPECT_EQ(journals.find(key_of("a"))->intents, 1) << "read once";
  EXPECT_EQ(journals.spent_microusd("main"), 80'000);
}

TEST_F(SegmentTest, NoDirectoryIsAnEmptyJournal) {
  EXPECT_TRUE(Journals(directory_ / "nowhere").records().empty());
}

}  // namespace
}  // namespace evd::teacher
