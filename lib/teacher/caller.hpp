#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/hash.hpp"
#include "core/log.hpp"
#include "shard/rows.hpp"
#include "teacher/options.hpp"

namespace evd::teacher {

/// One answer as recorded: what a caller needs to go on, equal whether it came now or from a
/// journal of an earlier life.
struct Reply {
  RequestKey key;
  shard::Outcome outcome = shard::Outcome::open;
  int status = 0;
  std::string reason;   ///< refusal or failure code, e.g. moderation_blocked, http_500
  shard::Blob payload;  ///< image bytes (openai_images) or the content text (openai_chat)
  std::string model_echo;
  std::string request_id;
  std::string revised_prompt;
  std::string logprobs_json;  ///< openai_chat: choices[0].logprobs as it came, or ""
  std::int64_t cost_microusd = 0;
  std::int64_t asked_ms = 0;
  std::int64_t answered_ms = 0;
  int attempts = 0;
};

class Journals;

/// Which recorded answers are good enough. `unless_failed` asks once more what failed for good
/// (`--rerun=failed`); refusals and answers are never asked for again.
enum class Recall : std::uint8_t { all, unless_failed };

/// Body to POST for one key. The body is made only when it is sent, perhaps several times.
struct Call {
  RequestKey key;
  std::function<std::string()> body;
  std::int64_t max_cost_microusd = 0;  ///< at least the service's price is reserved
  std::string budget_line = "main";    ///< whose money it is: see Journals::spent_microusd
  Recall recall = Recall::all;
};

/// Money and pace are account-wide, so one place grants them for the whole job: rank 0 (see
/// run/handout.hpp). `ask` returns at once; `granted` is called later from step(). A refusal
/// (`false`) means the budget is spent.
class Permits {
 public:
  virtual ~Permits() = default;
  virtual void ask(int service, std::int64_t max_cost_microusd,
                   std::function<void(bool)> granted) = 0;
  /// The call ended: its slot is free and its real cost known. `throttled` = HTTP 429 came.
  virtual void done(int service, std::int64_t reserved_microusd, std::int64_t paid_microusd,
                    bool throttled) = 0;
};

/// Sends calls to services: journal, permits, retries, limits, ledger. One per rank; everything
/// runs inside step(), which waits at most 5 ms. A key with a recorded answer is replied from the
/// record.
///
/// Of each attempt an intent is durable before the first byte leaves, and its answer before
/// `replied` is called. What may have been charged without an answer is *ambiguous*: a request that
/// the service cut off or left to time out is sent once more at most, then fails as `ambiguous`;
/// one whose sender died is sent again by the next life. So a key is charged at most once, and once
/// more for each of its ambiguous intents. A service that fails several times in a row is only
/// probed, and what failed meanwhile does not use up the attempts of a request; when nothing good
/// has come for `service_patience_s`, or at once for a wrong key, an empty account or a demand to
/// wait for longer than that, it is given up: its calls reply open.
class Caller {
 public:
  struct Setup {
    std::vector<ServiceOptions> services;
    std::string journal_directory;  ///< campaign/calls
    std::string job;                ///< unique per life: <job id>-<restart>-<pid>
    std::string stage;
    int round = 0;
    int rank = 0;
    std::uint64_t seed = 0;  ///< back-off jitter only
    double service_patience_s = 900;
    /// Keys that are not in an environment variable or a file: service name -> key. For the
    /// embedded services' token; they stand in memory only.
    std::map<std::string, std::string> ready_keys = {};
    /// What earlier lives recorded; null = read `journal_directory`.
    std::shared_ptr<const Journals> journals = nullptr;
  };
  /// Services of equal name (with budget lines of their own) share key, journal and circuit.
  /// ConfigurationError for a URL or key that cannot be used.
  Caller(const Setup& setup, Permits& permits, const Log& log);
  ~Caller();
  Caller(const Caller&) = delete;
  Caller& operator=(const Caller&) = delete;

  /// `replied` is called from step(), also for refusals, final failures and (outcome open) when the
  /// budget is spent, the service stayed away longer than its patience, or stop() was called.
  void submit(int service, Call call, std::function<void(Reply)> replied);
  /// Drives sockets, journal and time-outs once; waits up to `wait_ms`, at most 5.
  void step(int wait_ms = 5);
  /// Calls not yet replied.
  [[nodiscard]] std::size_t pending() const;
  /// Those of them that wait for a service which is not answering now.
  [[nodiscard]] std::size_t held() const;
  /// Lets what is in flight end, sends nothing new; what was not sent replies open.
  void stop();
  /// Which services do not answer now, and why, for a progress line; "" = all do.
  [[nodiscard]] std::string trouble() const;
  /// Services that were given up on, with reason, for the message and exit 69.
  [[nodiscard]] std::vector<std::string> services_down() const;
  /// HTTP attempts of this life, as table rows.
  [[nodiscard]] const std::vector<shard::Call>& calls() const;
  /// The journal cannot take what is needed to go on; "" = it can. Nothing new is sent then, what
  /// is under way ends and is recorded if there is any way to, and all the rest replies open. The
  /// job must end with an IoError; see run/journal_failure.hpp.
  struct JournalFailure {
    std::string what;
    std::int64_t lost = 0;  ///< at most so many were sent and their answers not recorded
  };
  [[nodiscard]] const JournalFailure& journal_failure() const;
  /// Journal files that this life has written so far.
  [[nodiscard]] std::vector<std::string> files() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::teacher
