#include "judge/new_prompts.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "judge/world.hpp"

namespace evd::judge {
namespace {

using namespace test;
using shard::Operation;
using shard::Sample;
using shard::Status;

struct Cap {
  Rules used = rules();
  std::vector<Sample> set;
  std::vector<Sample> born;
  std::map<std::string, std::int64_t> tallies;

  Cap(int members, int newcomers) {
    for (int i = 0; i < members; ++i)
      set.push_back(sample("member " + std::to_string(i), Status::member));
    for (int i = 0; i < newcomers; ++i)
      born.push_back(
          child_of(set[0], Operation::expand, "newcomer " + std::to_string(i), used.round));
  }
  void admit() { judge::admit(born, used, set, tallies); }
  [[nodiscard]] std::int64_t with(Status status) const {
    return std::count_if(set.begin(), set.end(),
                         [&](const auto& one) { return one.status == status; });
  }
};

TEST(Cap, TakesNewPromptsByIdUntilTheSetIsFull) {
  Cap cap(10, 8);
  cap.used.cap.max_samples = 13;
  cap.admit();
  EXPECT_EQ(cap.with(Status::waiting), 3);
  EXPECT_EQ(cap.with(Status::member), 10);
  EXPECT_EQ(cap.tallies.at("capped"), 5);
  EXPECT_EQ(cap.tallies.at("new_prompts"), 3);
  std::vector<SampleId> ids;
  for (const auto& one : cap.born) ids.push_back(one.id);
  std::sort(ids.begin(), ids.end());
  for (int i = 0; i < 3; ++i)
    EXPECT_EQ(cap.set[10 + static_cast<std::size_t>(i)].id, ids[static_cast<std::size_t>(i)]);
}

TEST(Cap, AnOverfullStartSetTakesNone) {
  Cap cap(10, 3);
  cap.used.cap.max_samples = 4;
  cap.admit();
  EXPECT_EQ(cap.with(Status::waiting), 0);
  EXPECT_EQ(cap.with(Status::member), 10);
}

TEST(Cap, DisplacesTheMembersOfSmallestMargin) {
  Cap cap(6, 4);
  cap.used.cap.max_samples = 7;
  cap.used.cap.policy = run::CapPolicy::displace;
  const float margins[] = {3, 0.1F, 2, -1, 0, 0};
  for (std::size_t i = 0; i < 6; ++i) {
    cap.set[i].margin = margins[i];
    cap.set[i].times_judged = i < 4 ? 1 : 0;  // the last two were never judged
  }
  cap.admit();
  EXPECT_EQ(cap.with(Status::waiting), 4);
  EXPECT_EQ(cap.with(Status::displaced), 3);
  for (const std::size_t i : {1U, 2U, 3U}) {
    EXPECT_EQ(cap.set[i].status, Status::displaced) << i;
    EXPECT_EQ(cap.set[i].removed_why, shard::Removal::displaced);
    EXPECT_EQ(cap.set[i].round_removed, cap.used.round);
  }
  EXPECT_EQ(cap.tallies.at("displaced"), 3);
  EXPECT_EQ(cap.tallies.at("capped"), 0);
}

TEST(Cap, DisplacementNeverTakesMoreThanThereIs) {
  Cap cap(2, 9);
  cap.used.cap.max_samples = 2;
  cap.used.cap.policy = run::CapPolicy::displace;
  cap.admit();
  EXPECT_EQ(cap.with(Status::displaced), 2);
  EXPECT_EQ(cap.with(Status::waiting), 2);
  EXPECT_EQ(cap.tallies.at("capped"), 7);
}

TEST(NewPrompts, TheFirstParentKeepsATextThatSeveralGot) {
  Cap cap(2, 0);
  cap.born = {child_of(cap.set[0], Operation::expand, "A Red cat", 3),
              child_of(cap.set[1], Operation::expand, "a red cat", 3),
              child_of(cap.set[1], Operation::expand, "a blue cat", 3)};
  cap.admit();
  EXPECT_EQ(cap.with(Status::waiting), 2);
  EXPECT_EQ(cap.tallies.at("dropped_repeats"), 1);
  for (const auto& one : cap.set) {
    if (one.prompt == "A Red cat") {
      EXPECT_EQ(one.parent, cap.set[0].id);
    }
    EXPECT_NE(one.prompt, "a red cat");
  }
}

TEST(NewPrompts, CarryTheirLineageSizeAndCategories) {
  auto parent = sample("a dog", Status::member);
  parent.generation = 4;
  parent.root = sample("an ancestor", Status::removed).id;
  parent.width = 640;
  const auto child =
      child_of(parent, Operation::mutate, "a woman holds a sign with the word \"HELLO\"", 7);
  EXPECT_EQ(child.parent, parent.id);
  EXPECT_EQ(child.root, parent.root);
  EXPECT_EQ(child.generation, 5);
  EXPECT_EQ(child.round_added, 7);
  EXPECT_EQ(child.width, 640);
  EXPECT_TRUE(child.category_human);
  EXPECT_TRUE(child.category_text);
  EXPECT_EQ(child.status, Status::waiting);
}

}  // namespace
}  // namespace evd::judge
