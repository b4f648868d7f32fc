#include "rehearsal/ledger.hpp"

#include <cerrno>
#include <fstream>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace evd::rehearsal {

using Json = nlohmann::ordered_json;

Ledger::Ledger(std::filesystem::path path) : path_(std::move(path)) {
  if (path_.empty()) return;
  if (path_.has_parent_path()) {
    std::error_code failure;
    std::filesystem::create_directories(path_.parent_path(), failure);
  }
  descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC, 0666);
  if (descriptor_ < 0) throw_errno("open the ledger", path_.string());
}

Ledger::~Ledger() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

void Ledger::charge(const std::string& service, const Sha256& request, std::int64_t microusd,
                    int answers) {
  const Json entry = {{"time_ms", utc_ms()},
                      {"service", service},
                      {"request", request.hex()},
                      {"answers", answers},
                      {"microusd", microusd}};
  const std::string line = entry.dump() + "\n";
  const std::lock_guard lock(mutex_);
  if (path_.empty()) {
    add(unwritten_, line);
    return;
  }
  // One write, appended whole: a killed server leaves all lines or all but the last.
  for (;;) {
    const auto written = ::write(descriptor_, line.data(), line.size());
    if (written == static_cast<ssize_t>(line.size())) return;
    if (written >= 0 || errno != EINTR) throw_errno("write the ledger", path_.string());
  }
}

void Ledger::add(Sums& sums, const std::string& line) {
  const Json entry = Json::parse(line, nullptr, false);
  try {
    Totals& service = sums.services[entry.at("service").get<std::string>()];
    service.microusd += entry.at("microusd").get<std::int64_t>();
    service.answers += entry.at("answers").get<std::int64_t>();
    sums.requests[entry.at("request").get<std::string>()] +=
        entry.at("answers").get<std::int64_t>();
  } catch (const Json::exception&) {
    ++sums.damaged_lines;
  }
}

Ledger::Sums Ledger::collect() const {
  const std::lock_guard lock(mutex_);
  Sums sums = unwritten_;
  if (path_.empty()) return sums;
  const auto directory = path_.has_parent_path() ? path_.parent_path() : ".";
  for (const auto& entry : std::filesystem::directory_iterator(directory)) {
    const std::string name = entry.path().filename().string();
    const bool other = name.starts_with("ledger-") && name.ends_with(".jsonl");
    if (!other && entry.path().filename() != path_.filename()) continue;
    std::ifstream file(entry.path());
    for (std::string line; std::getline(file, line);) add(sums, line);
  }
  return sums;
}

std::string Ledger::sums(bool with_requests) const {
  const Sums sums = collect();
  Totals all;
  Json services = Json::object();
  for (const auto& [name, totals] : sums.services) {
    services[name] = {{"answers", totals.answers}, {"microusd", totals.microusd}};
    all.answers += totals.answers;
    all.microusd += totals.microusd;
  }
  Json result = {{"answers", all.answers},
                 {"microusd", all.microusd},
                 {"services", services},
                 {"damaged_lines", sums.damaged_lines}};
  if (with_requests) result["requests"] = sums.requests;
  return result.dump();
}

}  // namespace evd::rehearsal
