#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "shard/rows.hpp"
#include "teacher/caller.hpp"

namespace evd::teacher {

/// What the journals under campaign/calls/<service>/ say about one key, over all lives and ranks.
struct Recorded {
  int intents = 0;  ///< sends announced
  int closed_intents =
      0;  ///< sends with a recorded end (answer, or a failure that cannot be charged)
  bool has_reply = false;      ///< a final answer is recorded
  std::filesystem::path file;  ///< where it lies
  std::uint64_t offset = 0;
  std::int64_t cost_microusd = 0;
  std::int64_t ambiguous_microusd = 0;  ///< possible cost of open intents
};

/// All journals of a campaign, read tolerantly (a torn tail ends a file, it is not an error).
class Journals {
 public:
  /// Reads every segment below `calls_directory`; a missing directory is an empty journal.
  explicit Journals(const std::filesystem::path& calls_directory);

  [[nodiscard]] const std::unordered_map<RequestKey, Recorded>& records() const { return records_; }
  /// The recorded answer of a key, with payload; nothing when there is none. DataError if damaged.
  [[nodiscard]] std::optional<Reply> reply(const RequestKey& key) const;
  /// HTTP attempts of all lives for these stage and round, as table rows.
  [[nodiscard]] std::vector<shard::Call> calls(const std::string& stage, int round) const;

 private:
  std::unordered_map<RequestKey, Recorded> records_;
  std::vector<std::filesystem::path> files_;
};

}  // namespace evd::teacher
