#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace evd::test {

/// What the server read of one request.
struct Received {
  std::string path;
  std::map<std::string, std::string> headers;  ///< names in lower case
  std::string body;
  int number = 0;      ///< over all connections, from 0
  int connection = 0;  ///< which connection it came over, from 0
};

/// What it does with it.
struct Scripted {
  std::string bytes;                                           ///< raw, status line and all
  enum class After { keep, close, hold } after = After::keep;  ///< hold = until the end of the test
  int drip_ms = 0;  ///< one byte each so many milliseconds
};

/// A whole answer.
[[nodiscard]] Scripted reply(int status, const std::string& body,
                             const std::vector<std::string>& headers = {});
/// Reads the request and closes without a word.
[[nodiscard]] Scripted silence();

/// An HTTP/1.1 server on loopback that does what a test says, byte by byte; a thread a connection.
class ScriptedServer {
 public:
  explicit ScriptedServer(std::function<Scripted(const Received&)> script);
  ~ScriptedServer();
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  [[nodiscard]] std::vector<Received> received() const;
  /// Highest number of requests that were being answered at once.
  [[nodiscard]] int most_at_once() const { return most_; }
  /// Closes the listener: from now on connections are refused.
  void leave();

 private:
  void accept_all();
  void serve(int socket, int connection);
  std::function<Scripted(const Received&)> script_;
  int listener_ = -1;
  int port_ = 0;
  std::atomic<bool> ending_ = false;
  std::atomic<int> now_ = 0;
  std::atomic<int> most_ = 0;
  mutable std::mutex mutex_;
  std::vector<Received> received_;
  std::vector<int> sockets_;
  std::vector<std::thread> threads_;
  std::thread acceptor_;
};

/// A port on which nobody listens.
[[nodiscard]] int closed_port();

}  // namespace evd::test
