#include "teacher/spending.hpp"

#include <algorithm>
#include <utility>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "fs/read_file.hpp"

namespace evd::teacher {
namespace {

namespace stdfs = std::filesystem;

constexpr double kLookEvery_s = 2;
constexpr double kRestPerLook = 9;  // so that looking takes at most a tenth of the time

}  // namespace

Spending::Spending(const Journals& known, std::string job, std::vector<std::string> lines, Log log)
    : directory_(known.directory()),
      job_(std::move(job)),
      lines_(std::move(lines)),
      log_(std::move(log)),
      totals_(lines_.size()) {
  for (const auto& [file, segment] : known.segments()) {
    if (is_own(file)) continue;
    const auto spent = spent_in(segment);
    segments_[file] = {.bytes = segment.bytes, .at_start = spent, .now = spent};
  }
}

// <job>-<rank>.journal, with numbers of askings and lives between or behind.
bool Spending::is_own(const stdfs::path& file) const {
  const std::string name = file.stem().string();
  return name.starts_with(job_ + "-") &&
         name.find_first_not_of("0123456789-.", job_.size()) == std::string::npos;
}

std::vector<std::int64_t> Spending::spent_in(const Journals::Segment& segment) const {
  std::vector<std::int64_t> spent;
  for (const auto& line : lines_) {
    const auto found = segment.spent_microusd.find(line);
    spent.push_back(found == segment.spent_microusd.end() ? 0 : found->second);
  }
  return spent;
}

void Spending::read_all() {
  try {
    for (const auto& service : stdfs::directory_iterator(directory_)) {
      if (!service.is_directory()) continue;
      for (const auto& file : stdfs::directory_iterator(service.path()))
        if (file.path().extension() == ".journal" && !is_own(file.path())) read(file.path());
    }
  } catch (const stdfs::filesystem_error&) {
    // Nothing was called yet, or it cannot be listed now.
  }
}

void Spending::read(const stdfs::path& file) {
  Segment& segment = segments_[file];
  try {
    // Opened for its size: NFS asks the server then, and not when a name is looked up.
    const std::uint64_t bytes = fs::ReadFile(file).size();
    if (bytes == segment.bytes) return;
    const Journals journals({}, {file.string()});
    const Journals::Segment& found = journals.segments().at(file);
    segment.now = spent_in(found);
    segment.bytes = found.bytes;
    segment.is_told = false;
  } catch (const Error& error) {
    std::error_code none;
    // Segments go when their answers are published; what they said still counts.
    if (!stdfs::exists(file, none) || std::exchange(segment.is_told, true)) return;
    log_.warning("what another job spends counts as it was seen last: " +
                 std::string(error.what()));
  }
}

void Spending::look() {
  const std::lock_guard lock(look_mutex_);
  const double begun_s = monotonic_s();
  read_all();
  std::vector<std::int64_t> totals(lines_.size());
  for (const auto& [file, segment] : segments_)
    for (std::size_t line = 0; line < lines_.size(); ++line) {
      if (!segment.now.empty()) totals[line] += segment.now[line];
      if (!segment.at_start.empty()) totals[line] -= segment.at_start[line];
    }
  {
    const std::lock_guard totals_lock(totals_mutex_);
    totals_ = std::move(totals);
  }
  const double end_s = monotonic_s();
  next_look_s_ = end_s + std::max(kLookEvery_s, kRestPerLook * (end_s - begun_s));
}

std::int64_t Spending::since_start_microusd(int line) {
  if (monotonic_s() >= next_look_s_ && !looking_.exchange(true)) {
    worker_.run([this] {
      look();
      looking_ = false;
    });
  }
  const std::lock_guard lock(totals_mutex_);
  return totals_.at(static_cast<std::size_t>(line));
}

}  // namespace evd::teacher
