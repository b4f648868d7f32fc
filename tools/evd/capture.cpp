#include "capture.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/error.hpp"

namespace evd::hands {
namespace {

// A file in memory takes what the command says: nobody has to read while it runs.
class Output {
 public:
  Output() : file_(memfd_create("output", MFD_CLOEXEC)) {
    if (file_ < 0) throw_errno("memfd_create", "a command's output");
  }
  ~Output() { ::close(file_); }
  Output(const Output&) = delete;
  Output& operator=(const Output&) = delete;

  [[nodiscard]] int file() const { return file_; }
  [[nodiscard]] std::string text() const {
    std::string text;
    std::array<char, 4096> buffer{};
    while (true) {
      const auto count =
          ::pread(file_, buffer.data(), buffer.size(), static_cast<off_t>(text.size()));
      if (count <= 0) return text;
      text.append(buffer.data(), static_cast<std::size_t>(count));
    }
  }

 private:
  int file_;
};

[[noreturn]] void become(const std::vector<std::string>& command,
                         const std::vector<std::string>& unset, int out, int err) {
  dup2(out, STDOUT_FILENO);
  dup2(err, STDERR_FILENO);
  if (const int null = ::open("/dev/null", O_RDONLY); null >= 0) dup2(null, STDIN_FILENO);
  for (const auto& name : unset) unsetenv(name.c_str());
  std::vector<char*> arguments;
  for (const auto& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments.front(), arguments.data());
  _exit(127);
}

}  // namespace

Captured capture(const std::vector<std::string>& command, const std::vector<std::string>& unset) {
  const Output out;
  const Output err;
  const pid_t child = fork();
  if (child < 0) throw_errno("start", command.front());
  if (child == 0) become(command, unset, out.file(), err.file());
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  return {WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), out.text(),
          err.text()};
}

}  // namespace evd::hands
