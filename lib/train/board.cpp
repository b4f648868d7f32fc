#include "train/board.hpp"

#include <array>
#include <cstdio>

#include <fcntl.h>
#include <unistd.h>

#include "core/text.hpp"

namespace evd::train {
namespace {

constexpr std::int64_t power_of_ten(int digits) {
  return digits == 0 ? 1 : 10 * power_of_ten(digits - 1);
}

long long cut(std::int64_t value, int digits) { return value % power_of_ten(digits); }

}  // namespace

std::string to_line(const BoardRecord& r) {
  return format("%05lld %05lld %010lld %-10s %010lld %04lld %013lld\n", cut(r.attempt, 5),
                cut(r.rank, 5), cut(r.step, 10), std::string(name(r.operation)).c_str(),
                cut(r.sequence, 10), cut(r.beat, 4), cut(r.since_ms, 13));
}

std::optional<BoardRecord> parse_record(std::string_view line) {
  if (line.size() != Board::kRecordBytes || line.back() != '\n') return std::nullopt;
  long long attempt = 0, rank = 0, step = 0, sequence = 0, beat = 0, since = 0;
  std::array<char, 11> word{};
  const std::string text(line);
  if (std::sscanf(text.c_str(), "%5lld %5lld %10lld %10s %10lld %4lld %13lld", &attempt, &rank,
                  &step, word.data(), &sequence, &beat, &since) != 7) {
    return std::nullopt;
  }
  BoardRecord record{static_cast<int>(attempt),
                     static_cast<int>(rank),
                     step,
                     {},
                     sequence,
                     static_cast<int>(beat),
                     since};
  const auto& names = EnumNames<Operation>::value;
  for (std::size_t i = 0; i < names.size(); ++i) {
    if (names[i] != word.data()) continue;
    record.operation = static_cast<Operation>(i);
    return record;
  }
  return std::nullopt;
}

Board::Board(std::filesystem::path file)
    : file_(std::move(file)), descriptor_("board.open", file_, O_RDWR | O_CREAT, 0666) {}

void Board::write(const BoardRecord& record) const {
  const std::string line = to_line(record);
  const auto place = static_cast<off_t>(kRecordBytes) * record.rank;
  ssize_t written = -1;
  do {
    written = ::pwrite(descriptor_.number(), line.data(), line.size(), place);
  } while (written < 0 && errno == EINTR);
  if (written != static_cast<ssize_t>(line.size())) throw_errno("board.write", file_.string());
  // On NFS the other nodes see it only then.
  if (::fdatasync(descriptor_.number()) != 0) throw_errno("board.sync", file_.string());
}

std::vector<std::optional<BoardRecord>> Board::read(int ranks, int attempt) const {
  // Opened anew: NFS asks the server for what is new when a file is opened.
  const fs::Descriptor fresh("board.open", file_, O_RDONLY);
  std::string text(kRecordBytes * static_cast<std::size_t>(ranks), ' ');
  std::size_t have = 0;
  while (have < text.size()) {
    const auto count =
        ::pread(fresh.number(), text.data() + have, text.size() - have, static_cast<off_t>(have));
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) throw_errno("board.read", file_.string());
    if (count == 0) break;
    have += static_cast<std::size_t>(count);
  }
  std::vector<std::optional<BoardRecord>> records;
  for (int rank = 0; rank < ranks; ++rank) {
    const auto place = kRecordBytes * static_cast<std::size_t>(rank);
    auto record = parse_record(std::string_view(text).substr(place, kRecordBytes));
    if (record && (record->attempt != cut(attempt, 5) || record->rank != rank)) record.reset();
    records.push_back(record);
  }
  return records;
}

}  // namespace evd::train
