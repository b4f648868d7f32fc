#include <atomic>
#include <map>

#include <gtest/gtest.h>

#include "core/base64.hpp"
#include "http/scripted_server.hpp"
#include "image/samples.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::test {
namespace {

using image::test::File;
using shard::Outcome;

const std::string kHarvest = "rounds/0000/harvest";
constexpr std::int64_t kAuroraMicrousd = 40'000;
constexpr std::int64_t kGlyphMicrousd = 30'000;

Scripted holding(const File& picture) {
  return reply(200, R"({"data":[{"b64_json":")" + base64(picture) + R"("}]})");
}

Scripted good_picture() {
  static const Scripted kReply = holding(image::encode_png(image::test::formula_image(128, 128)));
  return kReply;
}

// A sound picture of 36 megapixels in some 40 kB.
File swelling_png() {
  constexpr int kSide = 6000;
  return image::test::png_file({.width = kSide,
                                .height = kSide,
                                .pixels = std::vector<std::uint8_t>(std::size_t{kSide} * kSide)});
}

File half_jpeg() {
  File jpeg = image::test::jpeg_file(image::test::formula_image(128, 128));
  jpeg.resize(jpeg.size() / 2);
  return jpeg;
}

struct Nonsense {
  std::string teacher;
  std::string prompt;
  std::string reason;  // in the tables
  Scripted answer;
};

// Two of each teacher, twice: five failures in a row would be the service's, not the prompts'.
const std::vector<Nonsense>& nonsense() {
  static const std::vector<Nonsense> kAll = {
      {"aurora", "a red circle", "corrupt_image", holding(image::test::png_header(30'000, 30'000))},
      {"glyph", "a blue square", "corrupt_image", holding(swelling_png())},
      {"aurora", "a green triangle", "corrupt_image", holding(half_jpeg())},
      {"glyph", "two green circles", "no_json", reply(200, "<!DOCTYPE html><html>Sign in</html>")}};
  return kAll;
}

bool asks(const Received& request, const std::string& field, const std::string& value) {
  return request.body.find("\"" + field + "\":\"" + value + "\"") != std::string::npos;
}

std::vector<shard::Image> images_of(const TinyCampaign& campaign) {
  std::vector<shard::Image> all;
  const auto manifest = shard::read_manifest(campaign.path() / kHarvest);
  if (!manifest) return all;
  for (const auto& file : manifest->files)
    if (file.table == "images")
      for (auto& row : shard::read_table<shard::Image>(campaign.path() / kHarvest / file.name))
        all.push_back(std::move(row));
  return all;
}

std::map<std::string, std::string> prompts_of(const TinyCampaign& campaign) {
  std::map<std::string, std::string> prompts;
  for (const auto& sample : shard::read_table<shard::Sample>(campaign.path() / "prompts/set.h5"))
    prompts[sample.id.hex()] = sample.prompt;
  return prompts;
}

std::int64_t count(const std::vector<shard::Image>& rows, const std::string& teacher,
                   Outcome outcome) {
  return std::count_if(rows.begin(), rows.end(), [&](const shard::Image& row) {
    return row.teacher.text == teacher && row.outcome == outcome;
  });
}

// The server is taken to charge for whatever it was sent, answered well or not: nothing of it more
// often than once and once more for each ambiguous attempt, and our books hold its sum between what
// was paid and what may have been.
void expect_fair(const TinyCampaign& campaign, const ScriptedServer& server) {
  std::map<std::string, int> posts;
  std::int64_t charged = 0;
  for (const auto& request : server.received()) {
    ++posts[request.body];
    charged += asks(request, "model", "aurora") ? kAuroraMicrousd : kGlyphMicrousd;
  }
  std::vector<int> extra;
  for (const auto& [body, times] : posts) extra.push_back(times - 1);
  std::map<RequestKey, int> ambiguous;
  for (const auto& call : shard::read_table<shard::Call>(campaign.path() / kHarvest / "calls.h5"))
    ambiguous[call.key] += call.ambiguous ? 1 : 0;
  std::vector<int> allowed;
  for (const auto& [key, times] : ambiguous) allowed.push_back(times);
  std::sort(extra.rbegin(), extra.rend());
  std::sort(allowed.rbegin(), allowed.rend());
  ASSERT_LE(extra.size(), allowed.size());
  for (std::size_t i = 0; i < extra.size(); ++i) EXPECT_LE(extra[i], allowed[i]) << i;
  const auto manifest = shard::read_manifest(campaign.path() / kHarvest);
  ASSERT_TRUE(manifest);
  EXPECT_LE(manifest->cost_microusd, charged);
  EXPECT_LE(charged, manifest->cost_microusd + manifest->ambiguous_microusd);
}

std::vector<std::string> at(const ScriptedServer& server, std::vector<std::string> more) {
  more.insert(more.end(), {"teacher.aurora.base_url=" + server.url(),
                           "teacher.glyph.base_url=" + server.url(), "set.start_samples=14"});
  return more;
}

// Prompts whose one picture is no good have the other teacher's for a target, and when the service
// is mended one command draws them, and nothing else.
TEST(Services, PicturesThatAreNoneFailAloneAndCanBeAskedForAgain) {
  std::atomic<bool> mended = false;
  ScriptedServer server([&](const Received& request) {
    for (const auto& one : nonsense())
      if (!mended && asks(request, "model", one.teacher) && asks(request, "prompt", one.prompt))
        return one.answer;
    return good_picture();
  });
  const TinyCampaign campaign(
      at(server, {"teacher.aurora.max_attempts=2", "teacher.glyph.max_attempts=2"}));
  const auto harvest = campaign.stage("harvest", 2, {"--round", "0"});
  ASSERT_EQ(harvest.code, 0) << harvest.story();
  EXPECT_NE(harvest.err.find("36 images for 20 prompts (4 failed)"), std::string::npos)
      << harvest.err;
  for (const char* line : {"aurora: corrupt_image (", "glyph: no_json (status 200 with something"})
    EXPECT_NE(harvest.err.find(line), std::string::npos) << harvest.err;
  const auto prompts = prompts_of(campaign);
  std::map<std::string, std::pair<std::string, std::string>> failed;  // teacher and reason
  for (const auto& row : images_of(campaign))
    if (row.outcome != Outcome::ok) {
      EXPECT_EQ(row.cost_microusd, 0);
      failed[prompts.at(row.prompt_id.hex())] = {row.teacher.text, row.reason.text};
    }
  for (const auto& one : nonsense())
    EXPECT_EQ(failed[one.prompt], std::pair(one.teacher, one.reason)) << one.prompt;
  EXPECT_EQ(failed.size(), nonsense().size());
  EXPECT_EQ(server.received().size(), 40U + 4U) << "each bad one twice, as max_attempts says";
  expect_fair(campaign, server);

  const auto judge = campaign.stage("judge", 2, {"--round", "0"});
  ASSERT_EQ(judge.code, 0) << judge.story();
  for (const auto& sample :
       shard::read_table<shard::Sample>(campaign.path() / "rounds/0000/judge/set.h5")) {
    if (sample.split == shard::Split::heldout) continue;
    EXPECT_EQ(sample.status, shard::Status::member) << sample.prompt;
    if (const auto found = failed.find(sample.prompt); found != failed.end()) {
      EXPECT_NE(sample.target_teacher.text, found->second.first) << sample.prompt;
    }
  }
  mended = true;
  const auto again = campaign.stage("harvest", 2, {"--round", "0", "--rerun=failed"});
  ASSERT_EQ(again.code, 0) << again.story();
  for (const char* teacher : {"aurora", "glyph"})
    EXPECT_EQ(count(images_of(campaign), teacher, Outcome::ok), 20);
  EXPECT_EQ(server.received().size(), 44U + 4U) << "what had come was not asked for again";
  expect_fair(campaign, server);
}

// All night: its requests are read and never answered.
TEST(Services, ATeacherThatNeverAnswersIsLeftBehind) {
  std::atomic<bool> mended = false;
  ScriptedServer server([&](const Received& request) {
    if (!mended && asks(request, "model", "glyph"))
      return Scripted{.bytes = "", .after = Scripted::After::hold};
    return good_picture();
  });
  const TinyCampaign campaign(
      at(server, {"teacher.glyph.first_byte_timeout_s=0.3", "harvest.service_patience_s=3",
                  "harvest.min_teachers=2"}));
  const auto held = campaign.evd("run", {"--rounds", "1", "--ranks", "2"});
  EXPECT_EQ(held.code, 69) << held.story();
  const std::string told = held.out + held.err;
  EXPECT_NE(told.find("glyph: nothing good came for"), std::string::npos) << told;
  EXPECT_NE(told.find("with fewer images than harvest.min_teachers = 2"), std::string::npos)
      << told;
  EXPECT_FALSE(shard::read_manifest(campaign.path() / kHarvest));

  ASSERT_EQ(campaign.evd("set", {"harvest.min_teachers=1", "--from", "0"}).code, 0);
  const auto night = campaign.evd("run", {"--rounds", "1", "--ranks", "2"});
  ASSERT_EQ(night.code, 0) << night.story();
  const auto rows = images_of(campaign);
  EXPECT_EQ(count(rows, "aurora", Outcome::ok), 20);
  EXPECT_EQ(count(rows, "glyph", Outcome::ok), 0);
  std::int64_t aurora = 0;
  for (const auto& request : server.received()) aurora += asks(request, "model", "aurora");
  EXPECT_EQ(aurora, 20) << "what came in the first night was kept";
  expect_fair(campaign, server);
  const auto targets = campaign.evd(
      "query",
      {"SELECT target_teacher, count(*) AS n FROM samples WHERE status = 'member' GROUP BY 1",
       "--csv"});
  EXPECT_EQ(targets.out, "target_teacher,n\naurora,14\n") << targets.story();

  mended = true;
  const auto morning = campaign.stage("harvest", 2, {"--round", "0", "--rerun=failed"});
  ASSERT_EQ(morning.code, 0) << morning.story();
  EXPECT_EQ(count(images_of(campaign), "glyph", Outcome::ok), 20);
  expect_fair(campaign, server);
}

}  // namespace
}  // namespace evd::test
