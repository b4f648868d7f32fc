// Answers every POST with one and the same images answer, as fast as the loopback takes it: one
// thread, epoll, the answer sent from a memory file without a copy. For tools/bench/harvest.
//   image_server BYTES grain|noise     the first line it prints: its port, the picture's bytes
// Ends when its standard input does.
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <stdexcept>
#include <string>
#include <unordered_map>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include "bench_picture.hpp"
#include "core/base64.hpp"

namespace {

int checked(int value, const char* what) {
  if (value < 0) throw std::runtime_error(std::string(what) + ": " + std::strerror(errno));
  return value;
}

std::string make_answer(const std::vector<std::byte>& picture) {
  const std::string body = R"({"created": 1764115200, "data": [{"b64_json": ")" +
                           evd::base64(picture) + R"("}], "model": "bench"})";
  return "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: " +
         std::to_string(body.size()) + "\r\n\r\n" + body;
}

struct Peer {
  std::string in;
  off_t sent = -1;  // of the answer; -1 = waits for a request
};

// Length of the request at the start of `in`, body included; 0 = not whole yet.
std::size_t whole_request(const std::string& in) {
  const std::size_t end = in.find("\r\n\r\n");
  if (end == std::string::npos) return 0;
  std::size_t body = 0;
  for (std::size_t at = 0; at < end; at = in.find("\r\n", at) + 2)
    if (strncasecmp(in.c_str() + at, "content-length:", 15) == 0)
      body = std::strtoul(in.c_str() + at + 15, nullptr, 10);
  return in.size() >= end + 4 + body ? end + 4 + body : 0;
}

class Server {
 public:
  Server(const std::string& answer, std::size_t picture_bytes)
      : size_(static_cast<off_t>(answer.size())) {
    answer_ = checked(memfd_create("answer", 0), "memfd_create");
    if (::write(answer_, answer.data(), answer.size()) != static_cast<ssize_t>(answer.size()))
      throw std::runtime_error("the answer was not written");
    listener_ = checked(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), "socket");
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    auto* name = reinterpret_cast<sockaddr*>(&address);
    checked(::bind(listener_, name, sizeof address), "bind");
    checked(::listen(listener_, 1024), "listen");
    socklen_t length = sizeof address;
    checked(::getsockname(listener_, name, &length), "getsockname");
    std::printf("%d %zu\n", ntohs(address.sin_port), picture_bytes);
    std::fflush(stdout);
    poll_ = checked(::epoll_create1(0), "epoll_create1");
    watch(EPOLL_CTL_ADD, listener_, EPOLLIN);
    watch(EPOLL_CTL_ADD, STDIN_FILENO, EPOLLIN);
  }

  void run() {
    for (;;) {
      epoll_event events[256];
      const int count = ::epoll_wait(poll_, events, 256, -1);
      for (int i = 0; i < count; ++i) {
        const int from = events[i].data.fd;
        if (from == STDIN_FILENO) return;
        if (from == listener_)
          accept();
        else
          serve(from);
      }
    }
  }

 private:
  void watch(int operation, int fd, unsigned events) const {
    epoll_event event{};
    event.events = events;
    event.data.fd = fd;
    ::epoll_ctl(poll_, operation, fd, &event);
  }

  void accept() {
    for (int fd; (fd = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK)) >= 0;) {
      const int one = 1;
      ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
      peers_[fd] = {};
      watch(EPOLL_CTL_ADD, fd, EPOLLIN);
    }
  }

  void serve(int fd) {
    Peer& peer = peers_[fd];
    if (peer.sent < 0) {
      char buffer[16384];
      const ssize_t count = ::read(fd, buffer, sizeof buffer);
      if (count < 0 && errno == EAGAIN) return;
      if (count <= 0) {
        peers_.erase(fd);
        ::close(fd);
        return;
      }
      peer.in.append(buffer, static_cast<std::size_t>(count));
      const std::size_t request = whole_request(peer.in);
      if (request == 0) return;
      peer.in.erase(0, request);
      peer.sent = 0;
    }
    while (peer.sent < size_) {
      const ssize_t count =
          ::sendfile(fd, answer_, &peer.sent, static_cast<std::size_t>(size_ - peer.sent));
      if (count >= 0) continue;
      if (errno == EAGAIN) return watch(EPOLL_CTL_MOD, fd, EPOLLOUT);
      peers_.erase(fd);
      ::close(fd);
      return;
    }
    peer.sent = -1;
    watch(EPOLL_CTL_MOD, fd, EPOLLIN);
  }

  off_t size_;
  int answer_ = -1;
  int listener_ = -1;
  int poll_ = -1;
  std::unordered_map<int, Peer> peers_;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::fprintf(stderr, "usage: image_server BYTES grain|noise\n");
    return 64;
  }
  const auto pixels =
      std::string_view(argv[2]) == "noise" ? evd::bench::Pixels::noise : evd::bench::Pixels::grain;
  const auto picture = evd::bench::picture(std::stoul(argv[1]), pixels);
  Server(make_answer(picture), picture.size()).run();
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "image_server: %s\n", error.what());
  return 70;
}
