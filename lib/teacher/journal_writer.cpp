#include "teacher/journal_writer.hpp"

#include <utility>

#include "teacher/segment.hpp"
#include "teacher/workers.hpp"

namespace evd::teacher {

JournalWriter::JournalWriter(std::filesystem::path directory, std::string job, int rank,
                             std::function<void()> on_durable)
    : directory_(std::move(directory)),
      name_(std::move(job) + "-" + std::to_string(rank)),
      on_durable_(std::move(on_durable)),
      thread_(quiet_thread([this] { write(); })) {}

JournalWriter::~JournalWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  thread_.join();
}

std::uint64_t JournalWriter::append(const std::string& service, std::string record) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    waiting_[service].push_back(std::move(record));
    number = ++last_;
  }
  changed_.notify_one();
  return number;
}

std::uint64_t JournalWriter::durable() {
  const std::lock_guard lock(mutex_);
  if (failure_) std::rethrow_exception(failure_);
  return durable_;
}

std::vector<std::string> JournalWriter::files() {
  const std::lock_guard lock(mutex_);
  return names_;
}

void JournalWriter::write() {
  for (;;) {
    Batch batch;
    std::uint64_t last = 0;
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return ending_ || !waiting_.empty(); });
      if (waiting_.empty()) return;
      batch.swap(waiting_);
      last = last_;
    }
    try {
      write_batch(batch);
    } catch (...) {
      const std::lock_guard lock(mutex_);
      failure_ = std::current_exception();
      on_durable_();
      return;
    }
    durable_ = last;
    on_durable_();
  }
}

void JournalWriter::write_batch(const Batch& batch) {
  for (const auto& [service, records] : batch) {
    std::vector<Bytes> pieces;
    for (const auto& record : records) pieces.push_back(as_bytes(record));
    file(service).append(pieces);
  }
  for (const auto& [service, records] : batch) file(service).sync();
}

fs::AppendFile& JournalWriter::file(const std::string& service) {
  const auto found = files_.find(service);
  if (found != files_.end()) return found->second;
  fs::make_directory(directory_ / service);
  auto path = directory_ / service / (name_ + ".journal");
  // A name may come back (process numbers do, in containers); a segment is never continued.
  for (int i = 2; std::filesystem::exists(path); ++i)
    path = directory_ / service / (name_ + "." + std::to_string(i) + ".journal");
  auto& made = files_.emplace(service, fs::AppendFile(path)).first->second;
  made.append(as_bytes(segment_head()));
  const std::lock_guard lock(mutex_);
  names_.push_back(path.string());
  return made;
}

}  // namespace evd::teacher
