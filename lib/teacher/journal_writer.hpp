#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <filesystem>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "fs/file.hpp"

namespace evd::teacher {

/// Writes this life's journal segments, one a service, in a thread of its own. Group commit: all
/// records that came while the last sync ran go out in one write and one sync a file.
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

  /// Queues one record and returns its number; it is on disk once durable() has reached it.
  std::uint64_t append(const std::string& service, std::string record);
  /// Highest number up to which all is on disk. Throws the IoError that the thread met.
  [[nodiscard]] std::uint64_t durable();
  [[nodiscard]] std::vector<std::string> files();

 private:
  using Batch = std::map<std::string, std::vector<std::string>>;  // records by service
  void write();
  void write_batch(const Batch& batch);
  fs::AppendFile& file(const std::string& service);

  std::filesystem::path directory_;
  std::string name_;
  std::function<void()> on_durable_;

  std::mutex mutex_;
  std::condition_variable changed_;
  Batch waiting_;  // by service
  std::uint64_t last_ = 0;
  bool ending_ = false;
  std::exception_ptr failure_;
  std::vector<std::string> names_;
  std::atomic<std::uint64_t> durable_ = 0;

  std::map<std::string, fs::AppendFile> files_;  // the thread's own
  std::thread thread_;
};

}  // namespace evd::teacher
