#include "evaluate/plan.hpp"

#include <algorithm>
#include <set>

#include <gtest/gtest.h>

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
    EXPECT_EQ(picture.noise_id, heldout_noise(picture.prompt_id));
  }
}

TEST(Plan, OnlyMembersAreRendered) {
  using enum shard::Status;
  std::vector<shard::Sample> set;
  for (const auto status : {waiting, removed, displaced, refused, failed, heldout})
    for (auto& row : samples(10, status, std::string(name(status)))) set.push_back(row);
  EXPECT_TRUE(plan(set, {}, 1.0, 1, 0).empty());
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
