#include "data/members.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "shard/table.hpp"

namespace evd::data {

std::vector<Member> read_members(const std::filesystem::path& set_file) {
  std::vector<Member> members;
  for (shard::Sample& sample : shard::read_table<shard::Sample>(set_file)) {
    if (sample.status != shard::Status::member) continue;
    if (sample.target_shard.is_none() || sample.target_row < 0)
      throw DataError(set_file.string() + " /target_shard: member " + sample.id.hex() +
                      " has no target image (judge it again: evd-judge --rerun)");
    members.push_back({sample.id,
                       std::move(sample.prompt),
                       {sample.target_shard, sample.target_row},
                       sample.round_added,
                       sample.category_human,
                       sample.category_text,
                       sample.category_multi});
  }
  std::sort(members.begin(), members.end(),
            [](const Member& a, const Member& b) { return a.id < b.id; });
  const auto twice = std::adjacent_find(members.begin(), members.end(),
                                        [](auto& a, auto& b) { return a.id == b.id; });
  if (twice != members.end())
    throw DataError(set_file.string() + " /id: sample " + twice->id.hex() + " stands there twice");
  return members;
}

}  // namespace evd::data
