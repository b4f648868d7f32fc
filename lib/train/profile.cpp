#include "train/profile.hpp"

#include <charconv>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::train {
namespace {

constexpr int kRankRow = 0;
constexpr int kReductionRow = 1;

std::int64_t number_of(std::string_view text, const std::string& whole) {
  std::int64_t value = -1;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || value < 0) {
    throw UsageError("--profile " + whole + " is not FIRST:END, such as 10:13 for three steps");
  }
  return value;
}

std::string named_row(int rank, int row, const char* name) {
  return format(
      "{\"name\":\"thread_name\",\"ph\":\"M\",\"pid\":%d,\"tid\":%d,\"args\":{\"name\":"
      "\"%s\"}}",
      rank, row, name);
}

}  // namespace

StepRange parse_step_range(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == std::string::npos) static_cast<void>(number_of("", text));
  const std::string_view view = text;
  const StepRange range{number_of(view.substr(0, colon), text),
                        number_of(view.substr(colon + 1), text)};
  if (range.empty()) throw UsageError("--profile " + text + " holds no step (END is left out)");
  return range;
}

Profile::Profile(StepRange range, std::int64_t first_step, int rank, std::filesystem::path file,
                 const Log& log)
    : range_(range),
      first_step_(first_step),
      rank_(rank),
      file_(std::move(file)),
      log_(log),
      utc_offset_s_(static_cast<double>(utc_ms()) / 1e3 - monotonic_s()) {}

bool Profile::records(std::int64_t step) const {
  return step - first_step_ >= range_.begin && step - first_step_ < range_.end;
}

void Profile::enter(Operation operation, std::int64_t step) {
  if (is_written_) return;
  const double now_s = monotonic_s();
  if (is_open_) events_.back().end_s = now_s;
  is_open_ = false;
  step_ = step;
  if (records(step)) {
    // Reductions are told when they are over: the row of the rank ends with its open event.
    events_.push_back({std::string(name(operation)), kRankRow, step, now_s, now_s});
    is_open_ = true;
  } else if (step - first_step_ >= range_.end && !events_.empty()) {
    finish();
  }
}

void Profile::reduced(std::size_t bucket, double begin_s, double end_s) {
  if (is_written_ || !records(step_)) return;
  Event event{format("bucket %zu", bucket), kReductionRow, step_, begin_s, end_s};
  events_.insert(events_.end() - (is_open_ ? 1 : 0), std::move(event));
}

void Profile::finish() {
  if (is_written_ || events_.empty()) return;
  if (is_open_) events_.back().end_s = monotonic_s();
  is_open_ = false;
  is_written_ = true;
  std::vector<std::string> lines = {
      format("{\"name\":\"process_name\",\"ph\":\"M\",\"pid\":%d,\"args\":{\"name\":\"rank %d\"}}",
             rank_, rank_),
      named_row(rank_, kRankRow, "rank"), named_row(rank_, kReductionRow, "reductions")};
  for (const auto& event : events_) {
    lines.push_back(
        format("{\"name\":\"%s\",\"ph\":\"X\",\"pid\":%d,\"tid\":%d,\"ts\":%.1f,"
               "\"dur\":%.1f,\"args\":{\"step\":%lld}}",
               event.name.c_str(), rank_, event.row, 1e6 * (event.begin_s + utc_offset_s_),
               1e6 * (event.end_s - event.begin_s), static_cast<long long>(event.step)));
  }
  fs::make_directory(file_.parent_path());
  fs::publish(file_, "{\"traceEvents\":[\n" + join(lines, ",\n") + "\n]}\n");
  log_.info("profile: " + file_.string());
}

}  // namespace evd::train
