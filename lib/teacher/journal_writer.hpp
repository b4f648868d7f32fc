#pragma once

#include <condition_variable>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fs/file.hpp"

namespace evd::teacher {

/// What a record means for the room that is kept for answers.
enum class Role : std::uint8_t {
  note,    ///< nothing
  intent,  ///< a request is about to leave: its answer will need room
  end,     ///< of such a request
};

/// Writes this life's journal segments, one a service, in a thread of its own. Group commit: all
/// records that came while the last sync ran go out in one write and one sync a file.
///
/// Room for the answers to come is taken on the disk before an intent is written: when the disk
/// fills, intents are refused, and answers that are under way still find room.
class JournalWriter {
 public:
  /// Segments are `directory`/<service>/<job>-<rank>.journal, made with their first record.
  /// `on_durable` is called from the thread after each sync.
  JournalWriter(std::filesystem::path directory, std::string job, int rank,
                std::function<void()> on_durable);
  /// Writes and syncs what is still waiting.
  ~JournalWriter();
  JournalWriter(const JournalWriter&) = delete;
  JournalWriter& operator=(const JournalWriter&) = delete;

  /// Queues one record and returns its number; it is done with once progress().through has
  /// reached it.
  /// `answer_bytes` is what the answer to an intent may take, until a first one has shown it.
  std::uint64_t append(const std::string& service, std::string record, Role role = Role::note,
                       std::uint64_t answer_bytes = 0);

  struct Progress {
    std::uint64_t through = 0;  ///< highest number up to which all is on disk, or refused
    /// Intents of higher numbers were refused.
    std::uint64_t refused_after = std::numeric_limits<std::uint64_t>::max();
    bool broken = false;  ///< nothing more is written, whatever it is
    std::string trouble;  ///< why intents were refused, or nothing more is written
  };
  [[nodiscard]] Progress progress();
  [[nodiscard]] std::vector<std::string> files();

 private:
  struct Record {
    std::string bytes;
    Role role = Role::note;
    std::uint64_t answer_bytes = 0;
  };
  using Batch = std::map<std::string, std::vector<Record>>;  // by service
  struct Segment {
    fs::AppendFile file;
    std::uint64_t open = 0;           // intents without an end
    std::uint64_t largest_bytes = 0;  // of the ends so far
  };
  void write();
  void take_room(const Batch& batch);
  void write_batch(const Batch& batch);
  void refuse_intents(Batch& batch, const std::string& why);
  Segment& segment(const std::string& service);

  std::filesystem::path directory_;
  std::string name_;
  std::function<void()> on_durable_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Batch waiting_;  // by service
  std::uint64_t last_ = 0;
  bool ending_ = false;
  Progress progress_;
  std::vector<std::string> names_;

  std::map<std::string, Segment> segments_;  // the thread's own
  std::thread thread_;
};

}  // namespace evd::teacher
