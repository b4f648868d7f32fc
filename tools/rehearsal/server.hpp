#pragma once

#include <atomic>
#include <memory>
#include <string>

#include "rehearsal/ledger.hpp"
#include "rehearsal/wire.hpp"

namespace evd::rehearsal {

/// The services over HTTP: both wire formats under / and /v1, GET /v1/models, GET /ledger (add
/// ?requests=1 for the count of each request), GET /health. Everything but /health wants
/// `Authorization: Bearer <token>`.
class Server {
 public:
  /// With an empty token everyone is served.
  Server(World world, Ledger& ledger, std::string token);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  /// Binds; port 0 = any free one. Returns the port. IoError when the address cannot be had.
  int bind(const std::string& address, int port);
  /// Serves until stop().
  void run();
  /// From any thread.
  void stop();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace evd::rehearsal
