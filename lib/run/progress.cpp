#include "run/progress.hpp"

#include <algorithm>
#include <fstream>

#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"

namespace evd::run {
namespace {

constexpr double kTerminalEvery_s = 0.2;
constexpr double kLogEvery_s = 60;
constexpr double kSaveEvery_s = 1;

void say(const std::string& text) {
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size());
}

}  // namespace

std::string progress_line(const ProgressFacts& facts) {
  std::string line = facts.what + ": " + std::to_string(facts.done);
  if (facts.total > 0) line += "/" + std::to_string(facts.total);
  line += " " + facts.unit;
  if (facts.rate_per_s > 0) {
    line += facts.rate_per_s >= 0.95 ? format(", %.1f/s", facts.rate_per_s)
                                     : format(", one in %.1f s", 1 / facts.rate_per_s);
    if (facts.done < facts.total)
      line += ", " +
              human_duration(static_cast<double>(facts.total - facts.done) / facts.rate_per_s) +
              " left";
  }
  if (!facts.note.empty()) line += ", " + facts.note;
  return line;
}

std::optional<ProgressFacts> read_progress(const std::filesystem::path& file) {
  try {
    const auto json = nlohmann::json::parse(fs::read_text(file, 1 << 16));
    ProgressFacts facts;
    json.at("what").get_to(facts.what);
    json.at("unit").get_to(facts.unit);
    json.at("note").get_to(facts.note);
    json.at("done").get_to(facts.done);
    json.at("total").get_to(facts.total);
    json.at("rate_per_s").get_to(facts.rate_per_s);
    json.at("updated_ms").get_to(facts.updated_ms);
    return facts;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

Progress::Progress(const Log& log, std::string what, std::filesystem::path status_file)
    : log_(log),
      what_(std::move(what)),
      status_file_(std::move(status_file)),
      is_terminal_(log.rank() == 0 && isatty(STDERR_FILENO) == 1) {}

Progress::~Progress() {
  if (log_.rank() != 0) return;
  if (line_open_) say("\n");
  std::error_code ignored;
  std::filesystem::remove(status_file_, ignored);
}

void Progress::begin(std::string unit, std::int64_t total) {
  if (log_.rank() != 0) return;
  if (line_open_) say("\n");
  line_open_ = false;
  unit_ = std::move(unit);
  total_ = total;
  done_ = first_done_ = -1;
  begun_s_ = last_logged_s_ = monotonic_s();
  last_shown_s_ = last_saved_s_ = 0;
}

void Progress::update(std::int64_t done, const std::string& note) {
  if (log_.rank() != 0) return;
  const double now = monotonic_s();
  // What a resumed stage finds done says nothing about its speed.
  if (first_done_ < 0) first_done_ = done, begun_s_ = now;
  done_ = done;
  const bool last = done_ == total_;
  const bool show = is_terminal_ && (last || now - last_shown_s_ >= kTerminalEvery_s);
  const bool write_log = !is_terminal_ && (now - last_logged_s_ >= kLogEvery_s);
  const bool save_file = last || now - last_saved_s_ >= kSaveEvery_s;
  if (!show && !write_log && !save_file) return;

  const double elapsed = now - begun_s_;
  const ProgressFacts facts{
      .what = what_,
      .unit = unit_,
      .note = note,
      .done = done_,
      .total = total_,
      .rate_per_s = elapsed > 0 ? static_cast<double>(done_ - first_done_) / elapsed : 0,
      .updated_ms = utc_ms()};
  if (show) {
    say("\r\033[K" + progress_line(facts));
    line_open_ = true;
    last_shown_s_ = now;
  }
  if (write_log) {
    log_.info(progress_line(facts));
    last_logged_s_ = now;
  }
  if (save_file) {
    save(facts);
    last_saved_s_ = now;
  }
}

// For `evd status` alone: renamed so that it is read whole, but worth no fsync, and a failure is
// no reason to stop.
void Progress::save(const ProgressFacts& facts) const {
  if (status_file_.empty()) return;
  const nlohmann::ordered_json json = {{"what", facts.what},
                                       {"unit", facts.unit},
                                       {"note", facts.note},
                                       {"done", facts.done},
                                       {"total", facts.total},
                                       {"rate_per_s", facts.rate_per_s},
                                       {"updated_ms", facts.updated_ms}};
  const auto temporary =
      status_file_.parent_path() / ("." + status_file_.filename().string() + ".tmp");
  {
    std::ofstream file(temporary);
    file << json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << '\n';
  }
  std::error_code ignored;
  std::filesystem::rename(temporary, status_file_, ignored);
}

}  // namespace evd::run
