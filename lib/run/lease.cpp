#include "run/lease.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <mutex>
#include <thread>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <sys/stat.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"

namespace evd::run {
namespace {

// A lease is no data: it is written whole by rename, without fsync and outside the numbered events.
void write_whole(const std::filesystem::path& path, const std::string& text) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
  if (file < 0) throw_errno("write the lease", path.string());
  const auto written = ::write(file, text.data(), text.size());
  if (::close(file) != 0 || written != static_cast<ssize_t>(text.size()))
    throw_errno("write the lease", path.string());
}

void move_over(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) throw_errno("rename the lease to", to.string());
}

// link(2) may report an error over NFS although it was done: the link count tells.
bool link_new(const std::filesystem::path& from, const std::filesystem::path& to) {
  if (::link(from.c_str(), to.c_str()) == 0) return true;
  const int reason = errno;
  struct stat info {};
  if (::stat(from.c_str(), &info) == 0 && info.st_nlink == 2) return true;
  errno = reason;
  if (reason != EEXIST) throw_errno("link the lease", to.string());
  return false;
}

std::string sibling(const std::filesystem::path& path, const std::string& suffix) {
  return (path.parent_path() / ("." + path.stem().string() + "." + suffix)).string();
}

std::string text_of(const std::filesystem::path& path) {
  try {
    return fs::read_text(path, 1 << 16);
  } catch (const Error&) {
    return "";
  }
}

}  // namespace

struct Lease::State {
  std::filesystem::path path;
  LeaseRecord self;
  LeaseTiming timing;
  const Log& log;
  std::function<void()> on_lost;
  std::mutex mutex;
  std::condition_variable wake;
  bool ending = false;
  bool lost = false;
  std::thread renewer;

  [[nodiscard]] std::string temporary() const { return sibling(path, self.nonce + ".tmp"); }

  void acquire(const LeaseProbes& probes);
  // True when `found` is gone; throws when it lives.
  [[nodiscard]] bool is_gone(const LeaseRecord& found, const LeaseProbes& probes);
  [[nodiscard]] bool take_over(const LeaseRecord& found);
  [[nodiscard]] bool is_ours() const {
    const auto now = lease_at(path);
    return now && now->nonce == self.nonce;
  }
  void write() {
    write_whole(temporary(), to_json(self));
    move_over(temporary(), path);
  }
  void renew_until_end();
  void release() noexcept;
};

[[noreturn]] static void refuse(const LeaseRecord& holder) {
  const std::string how = holder.slurm_job.empty()
                              ? "`kill " + std::to_string(holder.pid) + "` on " + holder.host
                              : "`scancel " + holder.slurm_job + "`";
  const std::string what = holder.round == kNoRound ? holder.stage : to_string(ref_of(holder));
  throw ConfigurationError(what + " is being run by " + describe(holder) +
                           "; wait for it, or end it first: " + how);
}

bool Lease::State::is_gone(const LeaseRecord& found, const LeaseProbes& probes) {
  const Liveness verdict = liveness(found, self, probes);
  if (verdict == Liveness::gone) return true;
  if (verdict == Liveness::alive) refuse(found);
  log.info("the stage is held by " + describe(found) +
           ", which cannot be asked: watching its sign " + "of life for " +
           human_duration(timing.watch_s));
  const std::string before = text_of(path);
  const double begun = monotonic_s();
  while (monotonic_s() - begun < timing.watch_s) {
    std::this_thread::sleep_for(std::chrono::duration<double>(timing.poll_s));
    if (text_of(path) == before) continue;
    if (const auto now = lease_at(path); now && !now->released) refuse(*now);
    return false;  // released, or replaced: look again
  }
  return true;
}

// Only one process can make the link that names the nonce it takes over from; the nonce is looked
// at again because the old holder may have been replaced in between.
bool Lease::State::take_over(const LeaseRecord& found) {
  const std::string claim = sibling(path, found.nonce + ".taken");
  if (!link_new(temporary(), claim)) {
    const std::string claimant = text_of(claim);
    const double begun = monotonic_s();
    while (monotonic_s() - begun < timing.watch_s) {
      const auto now = lease_at(path);
      if (!now || now->nonce != found.nonce) return false;
      if (text_of(claim) != claimant) return false;
      std::this_thread::sleep_for(std::chrono::duration<double>(timing.poll_s));
    }
    ::unlink(claim.c_str());  // its maker died between the claim and the takeover
    return false;
  }
  const auto now = lease_at(path);
  const bool still = now && now->nonce == found.nonce;
  if (still) {
    self.attempt = found.attempt + 1;
    ::unlink(temporary().c_str());
    write();
  }
  ::unlink(claim.c_str());
  return still && is_ours();
}

void Lease::State::acquire(const LeaseProbes& probes) {
  fs::make_directory(path.parent_path());
  while (true) {
    self.attempt = 1;
    self.acquired_ms = self.renewed_ms = utc_ms();
    const auto found = lease_at(path);
    write_whole(temporary(), to_json(self));
    if (found) {
      if (is_gone(*found, probes) && take_over(*found)) return;
      continue;
    }
    // What lies there and is no lease goes; looked at again, since another may have taken it by
    // now.
    std::error_code trouble;
    if (std::filesystem::exists(path, trouble) && !lease_at(path))
      std::filesystem::remove(path, trouble);
    if (trouble) {
      ::unlink(temporary().c_str());
      throw IoError("remove " + path.string() + ", which is no lease: " + trouble.message());
    }
    const bool done = link_new(temporary(), path);
    ::unlink(temporary().c_str());
    if (done) return;
  }
}

void Lease::State::renew_until_end() {
  std::unique_lock lock(mutex);
  while (!wake.wait_for(lock, std::chrono::duration<double>(timing.renew_s),
                        [this] { return ending; })) {
    try {
      if (!is_ours()) {
        lost = true;
        on_lost();
        return;
      }
      ++self.counter;
      self.renewed_ms = utc_ms();
      write();
    } catch (const Error& error) {
      log.warning(std::string(error.what()) + " (the lease could not be renewed)");
    }
  }
}

void Lease::State::release() noexcept {
  try {
    if (is_ours()) {
      self.released = true;
      self.renewed_ms = utc_ms();
      write();
    }
  } catch (const std::exception& error) {
    log.warning(std::string(error.what()) +
                " (the lease stays; its process is gone, so it is free)");
  }
  ::unlink(temporary().c_str());
}

Lease::Lease(std::filesystem::path path, LeaseRecord self, const LeaseProbes& probes,
             const LeaseTiming& timing, const Log& log, std::function<void()> on_lost)
    : state_(new State{.path = std::move(path),
                       .self = std::move(self),
                       .timing = timing,
                       .log = log,
                       .on_lost = std::move(on_lost)}) {
  try {
    state_->acquire(probes);
  } catch (...) {
    ::unlink(state_->temporary().c_str());
    throw;
  }
  state_->renewer = std::thread([state = state_.get()] { state->renew_until_end(); });
}

Lease::~Lease() {
  {
    const std::lock_guard lock(state_->mutex);
    state_->ending = true;
  }
  state_->wake.notify_all();
  state_->renewer.join();
  state_->release();
}

int Lease::attempt() const { return state_->self.attempt; }

void Lease::confirm() const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->lost && state_->is_ours()) return;
  const auto now = read_lease(state_->path);
  throw ConfigurationError("the lease of this stage was taken over" +
                           (now ? " by " + describe(*now) : std::string()) +
                           "; nothing is published by this job");
}

}  // namespace evd::run
