#include "judge/answer_book.hpp"

#include <gtest/gtest.h>

#include "core/text.hpp"
#include "judge/world.hpp"
#include "shard/table.hpp"
#include "support/temp_dir.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Outcome;

struct Desk {
  shard::Sample prompt = sample("a red cat", shard::Status::member);
  Picture a = picture(prompt.id, "t0", 0, "a");
  Picture b = picture(prompt.id, "t1", 1, "b");
  Rules used = rules();

  Ask ask(int attempt = 0) {
    Ask made{.purpose = shard::Question::discriminate,
             .sample = &prompt,
             .first = &a,
             .second = &b,
             .shown = {32, 32},
             .attempt = attempt,
             .question = vlm::verdict(prompt.prompt, attempt)};
    seal(made, used);
    return made;
  }
  static teacher::Reply reply(std::string_view text, Outcome outcome = Outcome::ok) {
    teacher::Reply made{.outcome = outcome, .cost_microusd = 7};
    const auto bytes = as_bytes(text);
    made.payload.assign(bytes.begin(), bytes.end());
    return made;
  }
};

TEST(AnswerRow, ReadsTheVerdictAndKeepsTheText) {
  Desk desk;
  const auto row =
      answer_row(desk.ask(2), Desk::reply(R"({"winner":"B","confidence":100})"), desk.used);
  EXPECT_EQ(row.choice, shard::Choice::second);
  EXPECT_FLOAT_EQ(row.p_first, 0.05F);
  EXPECT_EQ(row.text, R"({"winner":"B","confidence":100})");
  EXPECT_EQ(row.attempt, 2);
  EXPECT_EQ(row.first, desk.a.id);
  EXPECT_EQ(row.round, desk.used.round);
  EXPECT_EQ(row.template_version, vlm::version(vlm::Template::verdict));
}

TEST(AnswerRow, BadBytesAndRefusals) {
  Desk desk;
  const auto row = answer_row(desk.ask(), Desk::reply("caf\xe9 \xff{"), desk.used);
  EXPECT_TRUE(is_utf8(row.text));
  EXPECT_EQ(row.choice, shard::Choice::unparsed);
  EXPECT_EQ(made_utf8("a\xff\xc3\xa9"), "a\xef\xbf\xbd\xc3\xa9");
  EXPECT_EQ(answer_row(desk.ask(), Desk::reply("I'm sorry, I can't help."), desk.used).outcome,
            Outcome::refused);
}

TEST(AnswerBook, PublishedAnswersComeBackEqualAndCarriedOnesCostNothing) {
  Desk desk;
  evd::test::TempDir directory;
  const auto row =
      answer_row(desk.ask(), Desk::reply(R"({"winner":"A","confidence":33})"), desk.used);
  const auto file = directory.path() / "answers.h5";
  (void)shard::write_table<shard::Answer>(
      file, {.campaign = std::string(32, '0'), .stage = "judge"}, std::span(&row, 1));
  for (const auto origin : {AnswerBook::Origin::own, AnswerBook::Origin::carried}) {
    AnswerBook book(desk.used);
    EXPECT_EQ(book.find(desk.ask()), nullptr);
    book.take(file, {desk.prompt.id}, origin);
    const auto* found = book.find(desk.ask());
    ASSERT_NE(found, nullptr);
    EXPECT_EQ(found->p_first, row.p_first);
    EXPECT_EQ(found->cost_microusd, origin == AnswerBook::Origin::own ? 7 : 0);
    EXPECT_EQ(book.find(desk.ask(1)), nullptr);
    AnswerBook other(desk.used);
    other.take(file, {sample("another", shard::Status::member).id}, origin);
    EXPECT_EQ(other.find(desk.ask()), nullptr);
  }
}

TEST(AnswerBook, APublishedFailureGivesWayToALaterAnswer) {
  Desk desk;
  evd::test::TempDir directory;
  const auto failed = answer_row(desk.ask(), Desk::reply("", Outcome::failed), desk.used);
  const auto file = directory.path() / "answers.h5";
  (void)shard::write_table<shard::Answer>(
      file, {.campaign = std::string(32, '0'), .stage = "judge"}, std::span(&failed, 1));
  AnswerBook book(desk.used);
  book.take(file, {desk.prompt.id}, AnswerBook::Origin::own);
  EXPECT_EQ(book.find(desk.ask())->outcome, Outcome::failed);
  book.pass_over_failures(true);
  EXPECT_EQ(book.find(desk.ask()), nullptr);
  book.put(desk.ask(), Desk::reply("B"));
  book.pass_over_failures(false);
  EXPECT_EQ(book.find(desk.ask())->choice, shard::Choice::second);
  book.forget(desk.ask().key);
  EXPECT_EQ(book.find(desk.ask())->outcome, Outcome::failed);
}

}  // namespace
}  // namespace evd::judge
