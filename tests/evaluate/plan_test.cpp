#include "evaluate/plan.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

#include "data/held_out.hpp"
#include "shard/identity.hpp"

namespace evd::evaluate {
namespace {

std::vector<shard::Sample> samples(int count, shard::Status status, const std::string& stem) {
  std::vector<shard::Sample> rows;
  for (int i = 0; i < count; ++i) {
    shard::Sample row;
    row.prompt = stem + std::to_string(i);
    row.id = shard::sample_id(row.prompt, 64, 64);
    row.status = status;
    rows.push_back(row);
  }
  return rows;
}

std::set<SampleId> ids(const std::vector<Picture>& pictures) {
  std::set<SampleId> found;
  for (const auto& picture : pictures) found.insert(picture.prompt_id);
  return found;
}

TEST(Plan, TakesTheShareOfTheMembersAndAllHeldOutPrompts) {
  const auto members = samples(5000, shard::Status::member, "m");
  const auto heldout = samples(70, shard::Status::heldout, "h");
  const auto pictures = plan(members, heldout, 0.2, 1, 3);
  const auto is_heldout = [](const Picture& p) { return p.split == shard::Split::heldout; };
  EXPECT_EQ(std::count_if(pictures.begin(), pictures.end(), is_heldout), 70);
  // 1000 expected; six standard deviations are 170.
  EXPECT_NEAR(static_cast<double>(pictures.size()) - 70, 1000, 170);
  EXPECT_EQ(plan(members, heldout, 0.0, 1, 3).size(), 70U);
  EXPECT_EQ(plan(members, heldout, 1.0, 1, 3).size(), 5070U);
}

TEST(Plan, DoesNotDependOnTheOrderOfRows) {
  auto members = samples(300, shard::Status::member, "m");
  auto heldout = samples(20, shard::Status::heldout, "h");
  const auto before = plan(members, heldout, 0.5, 1, 3);
  std::reverse(members.begin(), members.end());
  std::rotate(heldout.begin(), heldout.begin() + 7, heldout.end());
  const auto after = plan(members, heldout, 0.5, 1, 3);
  ASSERT_EQ(after.size(), before.size());
  for (std::size_t i = 0; i < after.size(); ++i) {
    EXPECT_EQ(after[i].prompt_id, before[i].prompt_id);
    EXPECT_EQ(after[i].noise_id, before[i].noise_id);
  }
}

TEST(Plan, AMembersChoiceDoesNotDependOnOtherMembers) {
  auto members = samples(300, shard::Status::member, "m");
  const auto all = ids(plan(members, {}, 0.5, 1, 3));
  members.erase(members.begin(), members.begin() + 100);
  for (const auto& id : ids(plan(members, {}, 0.5, 1, 3))) EXPECT_TRUE(all.contains(id));
}

TEST(Plan, RoundsDrawOtherMembersFromOtherNoiseAndTheSameHeldOut) {
  const auto members = samples(300, shard::Status::member, "m");
  const auto heldout = samples(20, shard::Status::heldout, "h");
  const auto first = plan(members, heldout, 0.5, 1, 3);
  const auto second = plan(members, heldout, 0.5, 1, 4);
  EXPECT_NE(ids(first), ids(second));
  EXPECT_NE(member_noise(members[0].id, 3), member_noise(members[0].id, 4));
  for (const auto& picture : second) {
    if (picture.split != shard::Split::heldout) continue;
    EXPECT_EQ(picture.noise_id, data::heldout_noise(picture.prompt_id));
  }
}

TEST(Plan, OnlyMembersAreRendered) {
  using enum shard::Status;
  std::vector<shard::Sample> set;
  for (const auto status : {waiting, removed, displaced, refused, failed, heldout})
    for (auto& row : samples(10, status, std::string(name(status)))) set.push_back(row);
  EXPECT_TRUE(plan(set, {}, 1.0, 1, 0).empty());
}

TEST(SizedByPrompts, APromptsEndComesBeforeWhatTheTeachersWereAsked) {
  std::vector<Picture> pictures(3);
  for (auto& picture : pictures) picture.height_px = picture.width_px = 512;
  pictures[0].prompt = "a cat --ar 1:2";
  pictures[1].prompt = "a cat --hw 1024:600";
  pictures[2].prompt = "a cat";
  const auto drawn = sized(sized_by_prompts(pictures), data::aspect_table(256));
  ASSERT_EQ(drawn.size(), 3U);
  EXPECT_EQ(drawn[0].prompt, "a cat --ar 1:2");  // T5 does not read the end, people do
  EXPECT_EQ(std::pair(drawn[0].height_px, drawn[0].width_px), std::pair(176, 352));
  EXPECT_EQ(drawn[0].aspect, 0.5);
  EXPECT_EQ(std::pair(drawn[1].height_px, drawn[1].width_px), std::pair(320, 192));
  EXPECT_EQ(drawn[1].aspect, 1.67);
  EXPECT_EQ(std::pair(drawn[2].height_px, drawn[2].width_px), std::pair(256, 256));
  // A network that knows its own square only.
  for (const auto& picture : sized(sized_by_prompts(pictures), {})) {
    EXPECT_EQ(picture.height_px, 0);
    EXPECT_EQ(picture.width_px, 0);
  }
}

TEST(SizeTable, IsThatOfMultiAspectNetworks) {
  nn::NetworkOptions network;
  EXPECT_TRUE(size_table(network, 512).empty());
  network.multi_aspect = true;
  EXPECT_EQ(size_table(network, 512).size(), 20U);
}

TEST(Parts, CoverThePlanInOrder) {
  const auto pictures = plan(samples(150, shard::Status::member, "m"), {}, 1.0, 1, 0);
  ASSERT_EQ(part_count(pictures.size()), 3U);
  EXPECT_EQ(part(pictures, 0).size(), 64U);
  EXPECT_EQ(part(pictures, 2).size(), 22U);
  EXPECT_EQ(part(pictures, 2).data(), &pictures[128]);
  EXPECT_EQ(part_count(0), 0U);
  EXPECT_EQ(part_name(3), "renders-00003.h5");
}

TEST(RenderKey, ChangesWithEverythingThatChangesPixels) {
  Picture picture;
  picture.prompt = "a cat";
  const nn::SamplerOptions sampler;
  std::set<RequestKey> keys = {render_key(picture, sha256("w"), sampler, 1)};
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("v"), sampler, 1)).second);
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("w"), sampler, 2)).second);
  auto other = sampler;
  other.steps = 21;
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("w"), other, 1)).second);
  other = sampler;
  other.guidance = 3.5;
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("w"), other, 1)).second);
  other = sampler;
  other.sampler = nn::SamplerKind::dpmpp;
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("w"), other, 1)).second);
  picture.noise_id = 7;
  EXPECT_TRUE(keys.insert(render_key(picture, sha256("w"), sampler, 1)).second);
}

}  // namespace
}  // namespace evd::evaluate
