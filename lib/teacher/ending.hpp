#pragma once

#include <string>

#include "http/loop.hpp"
#include "shard/rows.hpp"
#include "teacher/options.hpp"
#include "teacher/retry.hpp"
#include "teacher/segment.hpp"

namespace evd::teacher {

/// What an answer holds once its wire format is read.
struct Content {
  shard::Blob payload;  ///< image bytes, or the reply's text
  std::string model_echo;
  std::string revised_prompt;
  std::string logprobs_json;
};

/// What an attempt came to, and what follows from it.
struct Ending {
  enum class Next : std::uint8_t {
    answered,   ///< final
    refused,    ///< final; the service does not want this prompt
    failed,     ///< final; asking again gives the same
    retry,      ///< the service's fault
    throttled,  ///< too fast: slower, and again
    give_up,    ///< no request to this service can succeed until a person acts
  };
  Next next = Next::retry;
  Charge charge = Charge::none;
  std::string reason;   ///< short code for tables: moderation_blocked, http_503, not_sent
  std::string message;  ///< for a person; may be empty
  /// Times a request may fail in this way, when fewer than the service's max_attempts.
  int most = 0;
  WaitHint hint;
  Content content;
};

/// Reads what came back (the decision table of reference openai-python 3.3 and of the services'
/// error pages). Decodes images, so call it in a worker thread. Never throws on foreign data.
[[nodiscard]] Ending examine(Wire wire, const http::Response& response, double now_unix_s);

}  // namespace evd::teacher
