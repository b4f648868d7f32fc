#include "run/holders.hpp"

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "run/signals.hpp"

namespace evd::run {
namespace {

struct Held {
  std::filesystem::path path;
  LeaseRecord record;
};

// leases/*.json that are leases, in name order.
std::vector<Held> leases_in(const std::filesystem::path& directory) {
  std::vector<Held> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end;
       at.increment(error)) {
    const std::string name = at->path().filename().string();
    if (name.starts_with('.') || !name.ends_with(".json") || name.ends_with(".progress.json"))
      continue;
    if (auto record = lease_at(at->path())) found.push_back({at->path(), std::move(*record)});
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw IoError("list " + directory.string() + ": " + error.message());
  std::sort(found.begin(), found.end(),
            [](const Held& a, const Held& b) { return a.path < b.path; });
  return found;
}

void wait_a_moment(const LeaseTiming& timing) {
  std::this_thread::sleep_for(std::chrono::duration<double>(timing.poll_s));
}

// The first of them that gives a sign of life within the watch; the counter rises at each renewal.
std::vector<LeaseRecord> watch(std::vector<Held> silent, const LeaseTiming& timing,
                               const Log& log) {
  if (silent.empty()) return {};
  log.info("a lease is held by " + describe(silent.front().record) +
           (silent.size() > 1 ? " (and " + std::to_string(silent.size() - 1) + " more)" : "") +
           ", which cannot be asked: watching for a sign of life for " +
           human_duration(timing.watch_s));
  const double begun_s = monotonic_s();
  while (monotonic_s() - begun_s < timing.watch_s) {
    wait_a_moment(timing);
    for (auto one = silent.begin(); one != silent.end();) {
      const auto now = lease_at(one->path);
      if (now && !now->released && to_json(*now) != to_json(one->record)) return {*now};
      // Its job has ended meanwhile.
      one = !now || now->released ? silent.erase(one) : one + 1;
    }
    if (silent.empty()) return {};
  }
  return {};
}

}  // namespace

std::vector<LeaseRecord> living_holders(const std::filesystem::path& leases,
                                        const LeaseRecord& self, const LeaseProbes& probes,
                                        const LeaseTiming& timing, const Log& log) {
  std::vector<LeaseRecord> living;
  std::vector<Held> silent;
  for (auto& held : leases_in(leases)) {
    if (held.record.nonce == self.nonce) continue;
    const Liveness verdict = liveness(held.record, self, probes);
    if (verdict == Liveness::alive) living.push_back(held.record);
    if (verdict == Liveness::unknown) silent.push_back(std::move(held));
  }
  return living.empty() ? watch(std::move(silent), timing, log) : living;
}

std::filesystem::path cleaning_lease(const Campaign& campaign) {
  return campaign.root() / "leases" / "gc.json";
}

void await_cleaning(const Campaign& campaign, const LeaseRecord& self, const LeaseProbes& probes,
                    const LeaseTiming& timing, const Log& log) {
  std::string before;
  double changed_s = 0;
  while (const auto holder = lease_at(cleaning_lease(campaign))) {
    const Liveness verdict = liveness(*holder, self, probes);
    if (verdict == Liveness::gone) return;
    const std::string now = to_json(*holder);
    if (before.empty()) log.info("evd gc is at work, by " + describe(*holder) + ": waiting for it");
    if (now != before) changed_s = monotonic_s();
    if (verdict == Liveness::unknown && monotonic_s() - changed_s >= timing.watch_s) return;
    if (stop_flag()) throw Stopped("stopped while evd gc was waited for; start it again");
    before = now;
    wait_a_moment(timing);
  }
}

}  // namespace evd::run
