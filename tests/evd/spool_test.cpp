#include "spool.hpp"

#include <gtest/gtest.h>

#include "random_campaign.hpp"
#include "shard/identity.hpp"
#include "support/temp_dir.hpp"
#include "teacher/segment.hpp"

namespace evd::hands {
namespace {

using run::Stage;
using run::StageRef;

constexpr StageRef kHarvest{Stage::harvest, 0};

RequestKey key_of(const std::string& name) { return RequestKey(sha256(name).bytes()); }

shard::Blob blob_of(const std::string& text) {
  const Bytes bytes = as_bytes(text);
  return {bytes.begin(), bytes.end()};
}

std::string call(const std::string& name, const std::string& payload, Stage stage, int attempt) {
  teacher::Reply reply;
  reply.payload = blob_of(payload);
  return encode(teacher::Intent{.key = key_of(name),
                                .service = "alpha",
                                .stage = std::string(evd::name(stage)),
                                .attempt = attempt,
                                .job = "job-0",
                                .budget_line = "main",
                                .max_cost_microusd = 40'000}) +
         encode(teacher::End{.key = key_of(name),
                             .attempt = attempt,
                             .status = 200,
                             .outcome = shard::Outcome::ok,
                             .charge = teacher::Charge::paid,
                             .cost_microusd = 40'000},
                reply);
}

// A harvest that was killed between its manifest and the tidying up.
class SpoolTest : public ::testing::Test {
 protected:
  SpoolTest() {
    test::make_campaign(directory_ / "c");
    std::filesystem::create_directories(campaign().calls() / "alpha");
  }
  [[nodiscard]] run::Campaign campaign() const { return run::Campaign(directory_ / "c"); }
  [[nodiscard]] std::filesystem::path segment() const {
    return campaign().calls() / "alpha/job-0-0.journal";
  }
  void publish(const std::vector<std::pair<std::string, std::string>>& pictures) const {
    std::vector<shard::Image> rows;
    for (const auto& [name, payload] : pictures) {
      shard::Image row;
      row.key = key_of(name);
      row.outcome = shard::Outcome::ok;
      row.bytes = blob_of(payload);
      row.sha256 = sha256(Bytes(row.bytes));
      row.id = shard::image_id(row.key, row.sha256);
      rows.push_back(row);
    }
    const auto directory = campaign().directory(kHarvest);
    std::filesystem::create_directories(directory);
    const shard::FileHeader header{campaign().id().hex(), 0, "harvest", "", ""};
    test::publish_result(
        campaign(), kHarvest, directory,
        {shard::write_table<shard::Image>(directory / "images-00000.h5", header, rows)});
  }
  [[nodiscard]] std::optional<std::string> emptied() const {
    const auto now = campaign();
    const CurrentResults current(now);
    return Spools(current).emptied(segment());
  }
  test::TempDir directory_;
};

TEST_F(SpoolTest, PublishedPicturesGoAndCostsStay) {
  const std::string picture(10'000, 'p');
  test::write_file(segment(), teacher::segment_head() + call("a", picture, Stage::harvest, 0) +
                                  call("b", "not published", Stage::harvest, 0) +
                                  call("c", "an opinion", Stage::judge, 0));
  EXPECT_FALSE(emptied()) << "nothing is published yet";
  publish({{"a", picture}});
  const auto rest = emptied();
  ASSERT_TRUE(rest);
  EXPECT_LT(rest->size(), 10'000U);
  test::write_file(segment(), *rest);
  const teacher::Journals journals(campaign().calls());
  EXPECT_TRUE(journals.problems().empty());
  EXPECT_EQ(journals.spent_microusd("main"), 120'000);
  EXPECT_TRUE(journals.find(key_of("a"))->settled);
  for (const char* name : {"b", "c"}) EXPECT_TRUE(journals.reply(key_of(name))) << name;
  EXPECT_FALSE(emptied()) << "once is enough";
}

// Both were paid for, and one of them stands here alone.
TEST_F(SpoolTest, AnotherPictureOfTheSameRequestStays) {
  test::write_file(segment(), teacher::segment_head() + call("a", "first", Stage::harvest, 0) +
                                  call("a", "second", Stage::harvest, 1));
  publish({{"a", "second"}});
  EXPECT_FALSE(emptied());
}

TEST_F(SpoolTest, ADamagedSegmentIsLeftAsItIs) {
  std::string bytes = teacher::segment_head() + call("a", "picture", Stage::harvest, 0);
  publish({{"a", "picture"}});
  bytes[30] = static_cast<char>(bytes[30] ^ 1);
  test::write_file(segment(), bytes);
  EXPECT_FALSE(emptied());
}

}  // namespace
}  // namespace evd::hands
