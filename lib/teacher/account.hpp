#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "http/headers.hpp"
#include "http/loop.hpp"
#include "teacher/caller.hpp"
#include "teacher/health.hpp"
#include "teacher/secret.hpp"

namespace evd::teacher {

/// One and one more: what may have been charged without an answer is not sent a third time.
constexpr int kMaxNoAnswer = 2;

/// One request on its way to a final answer, over all its attempts. Inside `teacher` only.
struct Errand {
  int service = 0;
  Call call;
  std::vector<std::function<void(Reply)>> replied;
  int sent = 0;           ///< attempts over all lives
  int attempt = -1;       ///< number of the present one
  int failures = 0;       ///< that count against max_attempts
  int same_failures = 0;  ///< in a row with `last_reason`
  int no_answer = 0;      ///< sends that the service left without a whole answer, over all lives
  int pauses = 0;         ///< for the back-off
  std::string last_reason;
  bool in_flight = false;  ///< sent, and what came of it not yet looked at
  std::int64_t reserved_microusd = 0;
  std::int64_t asked_ms = 0;
  std::int64_t attempt_ms = 0;
};

/// A service as one rank sees it: address, key, state, and the errands that wait for it.
/// Services of equal name share it.
class Account {
 public:
  /// ConfigurationError for a URL or key that cannot be used; a warning for plain http.
  Account(const ServiceOptions& options, Secret secret, double patience_s, const Log& log);

  [[nodiscard]] const ServiceOptions& options() const { return options_; }
  [[nodiscard]] std::int64_t price_microusd() const;
  [[nodiscard]] http::Request request(std::string body) const;
  [[nodiscard]] const Secret& secret() const { return secret_; }

  ServiceHealth health;
  std::deque<std::shared_ptr<Errand>> ready;  ///< may be sent as soon as there is a permit
  std::multimap<double, std::shared_ptr<Errand>> waiting;  ///< in a back-off, by due time
  int outstanding = 0;                                     ///< permits asked for or held
  int errands = 0;                                         ///< not yet replied

 private:
  ServiceOptions options_;
  Secret secret_;
  std::string url_;
  std::shared_ptr<const http::Headers> headers_;
};

}  // namespace evd::teacher
