#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "core/hash.hpp"

namespace evd::rehearsal {

/// What the services have charged for: one JSON line per charged answer, in a file per life of the
/// server, written before the answer is sent. It survives the process; it replays nothing.
class Ledger {
 public:
  /// Without a path nothing outlives the process. IoError when the file exists already or cannot be
  /// made.
  explicit Ledger(std::filesystem::path path);
  ~Ledger();
  Ledger(const Ledger&) = delete;
  Ledger& operator=(const Ledger&) = delete;

  /// IoError when the line cannot be written; the answer must not be sent then.
  void charge(const std::string& service, const Sha256& request, std::int64_t microusd,
              int answers);
  /// {"microusd", "answers", "services": {name: {"microusd", "answers"}}, "requests": {sha256:
  /// answers}} over all lives: the files named ledger-*.jsonl beside this one. A line that a crash
  /// has cut is left out and counted in "damaged_lines".
  [[nodiscard]] std::string sums(bool with_requests) const;

 private:
  struct Totals {
    std::int64_t microusd = 0;
    std::int64_t answers = 0;
  };
  struct Sums {
    std::map<std::string, Totals> services;
    std::map<std::string, std::int64_t> requests;
    std::int64_t damaged_lines = 0;
  };
  static void add(Sums& sums, const std::string& line);
  [[nodiscard]] Sums collect() const;

  std::filesystem::path path_;
  int descriptor_ = -1;
  mutable std::mutex mutex_;
  Sums unwritten_;  // without a path
};

}  // namespace evd::rehearsal
