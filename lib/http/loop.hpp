#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "http/headers.hpp"

namespace evd::http {

/// How a transfer ended when no whole answer came.
enum class Fault : std::uint8_t {
  none,       ///< a whole answer is there, whatever its status
  not_sent,   ///< name, connection or handshake failed: the server has seen nothing of the body
  no_answer,  ///< sent at least in part, and no whole answer: the server may have acted on it
  too_large,  ///< the answer is larger than the limit
  tls,        ///< the server's certificate was not accepted; nothing was sent
  cancelled,  ///< ended by us
};

struct Limits {
  double connect_s = 10;
  double first_byte_s = 300;  ///< from the start of the request to the first byte of the answer
  double total_s = 600;
  std::uint64_t answer_bytes = 64ULL << 20;
};

/// A POST. Redirects are not followed, so headers reach no other host than the URL's.
struct Request {
  std::string url;
  std::string body;
  std::shared_ptr<const Headers> headers;  ///< shared by all requests to a service
  Limits limits;
};

struct Response {
  Fault fault = Fault::none;
  bool sent = false;   ///< bytes of the body may have left this machine
  int status = 0;      ///< 0 = none came; may be set with a fault (answer cut short)
  std::string reason;  ///< of a fault, for people: "Connection refused"
  std::string body;
  std::string content_type;
  std::string retry_after;
  std::string retry_after_ms;
  std::string should_retry;
  std::string request_id;
  std::uint64_t bytes_sent = 0;
  std::uint64_t bytes_received = 0;
  double total_s = 0;
};

/// Many transfers in one thread over curl's multi interface: keep-alive, HTTP/2 over TLS where the
/// server has it, certificate verified, no redirects, no netrc; https goes through the
/// environment's proxy (https_proxy, no_proxy), plain http through none. A request is sent at most
/// once: curl's own second try over a fresh connection is refused, since it would be a second order
/// for something that costs money.
class Loop {
 public:
  struct Setup {
    std::string ca_file;  ///< trusted certificates; "" = the system's
  };
  explicit Loop(const Setup& setup);
  Loop() : Loop(Setup{}) {}
  /// Open transfers end here without an answer.
  ~Loop();
  Loop(const Loop&) = delete;
  Loop& operator=(const Loop&) = delete;

  /// Starts a POST; `done` is called from step(), once.
  void post(Request request, std::function<void(Response)> done);
  /// Drives all transfers once; waits up to `wait_ms` for something to happen.
  void step(int wait_ms);
  /// Ends the wait of step(); may be called from any thread.
  void wake();
  /// Ends all transfers; their `done` is called with Fault::cancelled from the next step().
  void cancel_all();
  [[nodiscard]] std::size_t active() const;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::http
