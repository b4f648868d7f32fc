#include "run/child_service.hpp"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <nlohmann/json.hpp>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"

namespace evd::run {
namespace {

constexpr double kStart_s = 30;
constexpr double kEnd_s = 2;
// Where the pipes' ends are in the child.
constexpr int kTokenInChild = 3;
constexpr int kParentInChild = 4;

struct Pipe {
  Pipe() {
    if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw_errno("pipe", "for the embedded services");
  }
  ~Pipe() {
    for (const int end : ends)
      if (end >= 0) ::close(end);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;
  [[nodiscard]] int reading() const { return ends[0]; }
  [[nodiscard]] int writing() const { return ends[1]; }
  [[nodiscard]] int take(std::size_t which) { return std::exchange(ends[which], -1); }
  std::array<int, 2> ends{-1, -1};
};

// In the child, between fork and exec: async-signal-safe calls only.
[[noreturn]] void become(char* const* arguments, int token, int parent, int output) {
  ::setpgid(0, 0);
  // Above the places they go to, so that none is overwritten before it has moved.
  const int high_token = ::fcntl(token, F_DUPFD, 16);
  const int high_parent = ::fcntl(parent, F_DUPFD, 16);
  ::dup2(output, STDOUT_FILENO);
  ::dup2(high_token, kTokenInChild);
  ::dup2(high_parent, kParentInChild);
  // MPI's sockets and the lease are not the child's.
  ::close_range(kParentInChild + 1, ~0U, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGPIPE, SIGHUP}) ::signal(number, SIG_DFL);
  ::execv(arguments[0], arguments);
  ::_exit(127);
}

int parse_port(const std::string& line) {
  const auto parsed = nlohmann::json::parse(line, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("port") || !parsed["port"].is_number_integer())
    throw ServiceError("the embedded services did not start (they said \"" + line.substr(0, 200) +
                       "\" instead of their port; see the lines above)");
  return parsed["port"].get<int>();
}

}  // namespace

ChildService::ChildService(const std::filesystem::path& program, std::vector<std::string> arguments,
                           const std::string& token) {
  Pipe token_pipe;
  Pipe parent_pipe;
  Pipe output_pipe;
  arguments.insert(arguments.begin(), program.string());
  for (const char* text : {"--token-fd", "3", "--parent-fd", "4"}) arguments.emplace_back(text);
  std::vector<char*> pointers;
  for (auto& argument : arguments) pointers.push_back(argument.data());
  pointers.push_back(nullptr);
  const std::string line = token + "\n";
  if (::write(token_pipe.writing(), line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    throw_errno("write", "the embedded services' token");

  pid_ = ::fork();
  if (pid_ < 0) throw_errno("fork", program.string());
  if (pid_ == 0)
    become(pointers.data(), token_pipe.reading(), parent_pipe.reading(), output_pipe.writing());
  life_line_ = parent_pipe.take(1);
  output_ = output_pipe.take(0);
  ::close(output_pipe.take(1));  // so that its end is seen as the end of the output
  try {
    port_ = parse_port(read_line(output_));
  } catch (...) {
    end();
    throw;
  }
}

std::string ChildService::read_line(int descriptor) const {
  std::string line;
  const double until_s = monotonic_s() + kStart_s;
  while (monotonic_s() < until_s) {
    pollfd watched{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (::poll(&watched, 1, 100) <= 0) continue;
    char c = 0;
    const auto got = ::read(descriptor, &c, 1);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) break;
    if (c == '\n') return line;
    line += c;
  }
  return line;
}

ChildService::~ChildService() { end(); }

std::optional<std::string> ChildService::ended() {
  int status = 0;
  if (pid_ >= 0 && ::waitpid(pid_, &status, WNOHANG) == pid_) {
    pid_ = -1;
    how_it_ended_ = WIFSIGNALED(status) ? "signal " + std::to_string(WTERMSIG(status))
                                        : "exit code " + std::to_string(WEXITSTATUS(status));
  }
  if (pid_ >= 0) return std::nullopt;
  return how_it_ended_;
}

void ChildService::end() {
  for (int* descriptor : {&life_line_, &output_})
    if (*descriptor >= 0) ::close(std::exchange(*descriptor, -1));
  const double until_s = monotonic_s() + kEnd_s;
  while (!ended()) {
    if (monotonic_s() > until_s) ::kill(pid_, SIGKILL);
    ::poll(nullptr, 0, 1);
  }
}

}  // namespace evd::run
