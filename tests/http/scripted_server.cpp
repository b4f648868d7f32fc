#include "http/scripted_server.hpp"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <stdexcept>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace evd::test {
namespace {

int listen_on_loopback() {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0 ||
      ::listen(listener, 512) != 0)
    throw std::runtime_error("scripted server: cannot listen");
  return listener;
}

int port_of(int listener) {
  sockaddr_in address{};
  socklen_t size = sizeof address;
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
  return ntohs(address.sin_port);
}

bool send_all(int socket, std::string_view bytes, int drip_ms) {
  while (!bytes.empty()) {
    if (drip_ms > 0) ::poll(nullptr, 0, drip_ms);
    const auto sent = ::send(socket, bytes.data(), drip_ms > 0 ? 1 : bytes.size(), MSG_NOSIGNAL);
    if (sent <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(sent));
  }
  return true;
}

// Reads one request from what is there and what comes; false at the end of the connection.
bool read_request(int socket, std::string& pending, Received& request) {
  const auto more = [&] {
    char buffer[65536];
    const auto got = ::recv(socket, buffer, sizeof buffer, 0);
    if (got > 0) pending.append(buffer, static_cast<std::size_t>(got));
    return got > 0;
  };
  std::size_t end = 0;
  while ((end = pending.find("\r\n\r\n")) == std::string::npos)
    if (!more()) return false;
  const std::string head = pending.substr(0, end + 2);
  pending.erase(0, end + 4);
  const std::size_t space = head.find(' ');
  request.path = head.substr(space + 1, head.find(' ', space + 1) - space - 1);
  for (std::size_t at = head.find("\r\n") + 2; at < head.size();) {
    const std::size_t line_end = head.find("\r\n", at);
    const std::size_t colon = head.find(':', at);
    std::string name = head.substr(at, colon - at);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    std::size_t value = colon + 1;
    while (head[value] == ' ') ++value;
    request.headers[name] = head.substr(value, line_end - value);
    at = line_end + 2;
  }
  const auto length = request.headers.find("content-length");
  const std::size_t bytes = length == request.headers.end() ? 0 : std::stoul(length->second);
  while (pending.size() < bytes)
    if (!more()) return false;
  request.body = pending.substr(0, bytes);
  pending.erase(0, bytes);
  return true;
}

}  // namespace

Scripted reply(int status, const std::string& body, const std::vector<std::string>& headers) {
  std::string bytes = "HTTP/1.1 " + std::to_string(status) + " Status\r\n";
  bytes += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size());
  for (const auto& header : headers) bytes += "\r\n" + header;
  return {.bytes = bytes + "\r\n\r\n" + body};
}

Scripted silence() { return {.bytes = "", .after = Scripted::After::close}; }

ScriptedServer::ScriptedServer(std::function<Scripted(const Received&)> script)
    : script_(std::move(script)), listener_(listen_on_loopback()), port_(port_of(listener_)) {
  acceptor_ = std::thread([this] { accept_all(); });
}

ScriptedServer::~ScriptedServer() {
  ending_ = true;
  ::shutdown(listener_, SHUT_RDWR);
  acceptor_.join();
  {
    const std::lock_guard lock(mutex_);
    for (const int socket : sockets_) ::shutdown(socket, SHUT_RDWR);
  }
  for (auto& thread : threads_) thread.join();
  for (const int socket : sockets_) ::close(socket);
  ::close(listener_);
}

void ScriptedServer::leave() { ::shutdown(listener_, SHUT_RDWR); }

std::vector<Received> ScriptedServer::received() const {
  const std::lock_guard lock(mutex_);
  return received_;
}

void ScriptedServer::accept_all() {
  for (;;) {
    const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (socket < 0) return;
    const int on = 1;
    ::setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    const std::lock_guard lock(mutex_);
    const int connection = static_cast<int>(sockets_.size());
    sockets_.push_back(socket);
    threads_.emplace_back([this, socket, connection] { serve(socket, connection); });
  }
}

void ScriptedServer::serve(int socket, int connection) {
  std::string pending;
  for (;;) {
    Received request;
    if (!read_request(socket, pending, request)) return;
    request.connection = connection;
    {
      const std::lock_guard lock(mutex_);
      request.number = static_cast<int>(received_.size());
      received_.push_back(request);
    }
    const int now = ++now_;
    for (int most = most_; now > most && !most_.compare_exchange_weak(most, now);) {
    }
    const Scripted answer = script_(request);
    --now_;
    const bool sent = send_all(socket, answer.bytes, answer.drip_ms);
    if (!sent || answer.after == Scripted::After::close) break;
    if (answer.after == Scripted::After::hold)
      while (!ending_) ::poll(nullptr, 0, 5);
  }
  ::shutdown(socket, SHUT_RDWR);
}

int closed_port() {
  const int listener = listen_on_loopback();
  const int port = port_of(listener);
  ::close(listener);
  return port;
}

}  // namespace evd::test
