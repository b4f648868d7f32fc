#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "shard/rows.hpp"
#include "teacher/caller.hpp"

namespace evd::teacher {

class ReplyReader;  // segment.hpp

/// What the journals under campaign/calls/<service>/ say about one key, over all lives and ranks.
struct Recorded {
  int intents = 0;  ///< sends announced
  /// Sends with a recorded end (answer, or a failure that cannot be charged). The others may have
  /// been charged: `no_answer` of them are without any whole answer, the rest got an unusable one.
  int closed_intents = 0;
  int no_answer = 0;
  int cut_short = 0;       ///< those of `no_answer` whose sender died before any end was recorded
  int lost = 0;            ///< final answers that turned out to be damaged
  bool has_reply = false;  ///< a final answer is recorded; the best, then the newest, counts
  bool settled = false;    ///< that answer's payload lies in published shards, not here
  shard::Outcome outcome = shard::Outcome::open;      ///< of that answer
  std::shared_ptr<const std::filesystem::path> file;  ///< where it lies; one for all of a file
  std::uint64_t offset = 0;
  std::uint64_t payload_bytes = 0;
  std::int64_t answered_ms = 0;
  std::int64_t cost_microusd = 0;       ///< of all answers
  std::int64_t ambiguous_microusd = 0;  ///< possible cost of intents that are not closed
};

/// All journals of a campaign, read tolerantly (a torn tail ends a file, it is not an error).
/// The format: segment.hpp.
class Journals {
 public:
  /// Reads every segment below `calls_directory`; a missing directory is an empty journal.
  /// `known_files` are read even if the directory's listing does not show them yet: on NFS another
  /// node's new files may stay invisible for a minute, while opening them by name works.
  explicit Journals(const std::filesystem::path& calls_directory,
                    const std::vector<std::string>& known_files = {});
  /// Reads segments that have come since, `known_files` among them.
  void read_new(const std::vector<std::string>& known_files);
  /// The recorded answer of a key is damaged: it counts as possibly charged and not had.
  void lose(const RequestKey& key);

  [[nodiscard]] const std::unordered_map<RequestKey, Recorded>& records() const { return records_; }
  /// Nothing recorded = null.
  [[nodiscard]] const Recorded* find(const RequestKey& key) const;
  struct Segment {
    std::set<std::pair<std::string, int>> holds;         ///< stages and rounds
    std::uint64_t bytes = 0;                             ///< that were there to be read
    std::map<std::string, std::int64_t> spent_microusd;  ///< by budget line; possible cost included
  };
  /// Every segment that was read, as it was then: it may have grown since.
  [[nodiscard]] const std::map<std::filesystem::path, Segment>& segments() const {
    return segments_;
  }
  [[nodiscard]] const std::filesystem::path& directory() const { return directory_; }
  /// What was, or may have been, charged to a budget line ("main", "heldout") over all lives.
  [[nodiscard]] std::int64_t spent_microusd(const std::string& budget_line) const;
  /// Damaged records and files, one line each; the rest is used.
  [[nodiscard]] const std::vector<std::string>& problems() const { return problems_; }
  /// The recorded answer of a key, with payload; nothing when there is none or it is settled.
  /// DataError if damaged.
  [[nodiscard]] std::optional<Reply> reply(const RequestKey& key) const;
  /// The same through a reader, for who wants many.
  [[nodiscard]] std::optional<Reply> reply(const RequestKey& key, ReplyReader& reader) const;
  /// HTTP attempts of all lives for these stage and round, as table rows.
  [[nodiscard]] std::vector<shard::Call> calls(const std::string& stage, int round) const;
  /// Takes the payloads of published answers out of the segments of this stage and round: they are
  /// paid for once and need not lie on the disk twice. Gives the number of files that shrank.
  int settle(const std::string& stage, int round,
             const std::function<bool(const RequestKey&)>& is_published) const;

 private:
  void read(const std::filesystem::path& file);
  [[nodiscard]] std::vector<std::filesystem::path> files_of(const std::string& stage,
                                                            int round) const;

  std::filesystem::path directory_;
  std::unordered_map<RequestKey, Recorded> records_;
  std::map<std::filesystem::path, Segment> segments_;
  std::vector<std::string> problems_;
};

}  // namespace evd::teacher
