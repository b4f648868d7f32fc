#include "spool.hpp"

#include <algorithm>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "core/error.hpp"
#include "teacher/segment.hpp"

namespace evd::hands {
namespace {

struct Pending {
  RequestKey key;
  std::uint64_t offset = 0;
};

// Final answers of harvests with their payload still in the segment; nothing when it is damaged.
std::optional<std::vector<Pending>> pending_in(const std::filesystem::path& segment) {
  std::unordered_set<RequestKey> of_harvest;
  std::vector<Pending> pending;
  const auto intent = [&](const teacher::Intent& found) {
    if (found.stage == name(run::Stage::harvest)) of_harvest.insert(found.key);
  };
  const auto reply = [&](const teacher::SegmentVisitor::Answer& found) {
    if (!found.settled && found.payload_bytes > 0 && of_harvest.contains(found.end.key))
      pending.push_back({found.end.key, found.offset});
  };
  const auto problems =
      teacher::read_segment(segment, {intent, [](const auto&) {}, reply}).problems;
  if (!problems.empty()) return std::nullopt;
  return pending;
}

}  // namespace

std::vector<std::filesystem::path> Spools::segments() const {
  std::vector<std::filesystem::path> found;
  std::error_code none;
  for (const auto& service : std::filesystem::directory_iterator(current_.campaign().calls(), none))
    for (const auto& file : std::filesystem::directory_iterator(service.path(), none))
      if (file.path().extension() == ".journal") found.push_back(file.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::optional<std::string> Spools::emptied(const std::filesystem::path& segment) {
  const auto pending = pending_in(segment);
  if (!pending || pending->empty()) return std::nullopt;
  if (!std::exchange(loaded_, true)) copies_.load_pictures();
  // A question may have been answered twice: both pictures were paid for.
  std::unordered_map<RequestKey, bool> stands_elsewhere;
  for (const auto& [key, offset] : *pending) {
    const auto reply = teacher::read_reply(segment, offset);
    const auto known = stands_elsewhere.emplace(key, true).first;
    known->second = known->second && reply.outcome == shard::Outcome::ok &&
                    copies_.holds_picture(key, sha256(Bytes(reply.payload)));
  }
  return teacher::settled_segment(segment, [&](const RequestKey& key) {
    const auto found = stands_elsewhere.find(key);
    return found != stands_elsewhere.end() && found->second;
  });
}

}  // namespace evd::hands
