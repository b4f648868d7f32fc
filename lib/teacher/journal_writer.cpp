#include "teacher/journal_writer.hpp"

#include <algorithm>
#include <utility>

#include "core/error.hpp"
#include "teacher/segment.hpp"
#include "teacher/workers.hpp"

namespace evd::teacher {
namespace {

constexpr std::uint64_t kLeastRoomBytes = 64U << 10;  // kept for an answer to come

}  // namespace

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

std::uint64_t JournalWriter::append(const std::string& service, std::string record, Role role,
                                    std::uint64_t answer_bytes) {
  std::uint64_t number = 0;
  {
    const std::lock_guard lock(mutex_);
    waiting_[service].push_back({std::move(record), role, answer_bytes});
    number = ++last_;
  }
  changed_.notify_one();
  return number;
}

JournalWriter::Progress JournalWriter::progress() {
  const std::lock_guard lock(mutex_);
  return progress_;
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
      try {
        take_room(batch);
      } catch (const IoError& full) {
        refuse_intents(batch, full.what());
      }
      write_batch(batch);
    } catch (const std::exception& error) {
      {
        const std::lock_guard lock(mutex_);
        progress_.broken = true;
        progress_.trouble = error.what();
      }
      on_durable_();
      return;
    }
    {
      const std::lock_guard lock(mutex_);
      progress_.through = last;
    }
    on_durable_();
  }
}

// Only who announces something needs room: what ends has it.
void JournalWriter::take_room(const Batch& batch) {
  constexpr auto kNever = std::numeric_limits<std::uint64_t>::max();
  for (const auto& [service, records] : batch) {
    std::uint64_t bytes = 0;
    std::uint64_t intents = 0;
    std::uint64_t answer_bytes = kLeastRoomBytes;
    for (const auto& record : records) {
      bytes += record.bytes.size();
      intents += record.role == Role::intent ? 1 : 0;
      answer_bytes = std::max(answer_bytes, record.answer_bytes);
    }
    if (intents == 0) continue;
    if (progress().refused_after != kNever) throw IoError("refused once, refused for good");
    Segment& segment = this->segment(service);
    if (segment.largest_bytes > 0)
      answer_bytes = std::max(kLeastRoomBytes, 2 * segment.largest_bytes);
    segment.file.reserve(bytes + (segment.open + intents) * answer_bytes);
  }
}

// Everything before this batch is written, so all later intents are refused ones.
void JournalWriter::refuse_intents(Batch& batch, const std::string& why) {
  for (auto& [service, records] : batch)
    std::erase_if(records, [](const Record& record) { return record.role == Role::intent; });
  std::erase_if(batch, [](const auto& one) { return one.second.empty(); });
  const std::lock_guard lock(mutex_);
  if (progress_.trouble.empty()) progress_.trouble = why;
  progress_.refused_after = std::min(progress_.refused_after, progress_.through);
}

void JournalWriter::write_batch(const Batch& batch) {
  for (const auto& [service, records] : batch) {
    Segment& segment = this->segment(service);
    std::vector<Bytes> pieces;
    for (const auto& record : records) {
      pieces.push_back(as_bytes(record.bytes));
      segment.open += record.role == Role::intent ? 1 : 0;
      if (record.role != Role::end) continue;
      segment.open -= segment.open > 0 ? 1 : 0;
      segment.largest_bytes = std::max<std::uint64_t>(segment.largest_bytes, record.bytes.size());
    }
    segment.file.append(pieces);
  }
  for (const auto& [service, records] : batch) segment(service).file.sync();
}

JournalWriter::Segment& JournalWriter::segment(const std::string& service) {
  const auto found = segments_.find(service);
  if (found != segments_.end()) return found->second;
  fs::make_directory(directory_ / service);
  auto path = directory_ / service / (name_ + ".journal");
  // A name may come back (process numbers do, in containers); a segment is never continued.
  for (int i = 2; std::filesystem::exists(path); ++i)
    path = directory_ / service / (name_ + "." + std::to_string(i) + ".journal");
  auto& made = segments_.emplace(service, Segment{fs::AppendFile(path)}).first->second;
  made.file.append(as_bytes(segment_head()));
  const std::lock_guard lock(mutex_);
  names_.push_back(path.string());
  return made;
}

}  // namespace evd::teacher
