#include "support/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace evd::test {
namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::filesystem::path temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "evd-output-XXXXXX").string();
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0) throw std::runtime_error("mkstemp failed");
  close(descriptor);
  return name;
}

void redirect(const std::filesystem::path& path, int target) {
  const int descriptor = open(path.c_str(), O_WRONLY | O_APPEND | O_CLOEXEC);
  if (descriptor < 0 || dup2(descriptor, target) < 0) _exit(126);
}

}  // namespace

Process::Process(Command command)
    : command_(std::move(command)),
      begun_s_(now_s()),
      out_(temporary_file()),
      err_(temporary_file()) {
  std::vector<char*> argv;
  for (auto& argument : command_.arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ != 0) return;
  setpgid(0, 0);
  const int null = open("/dev/null", O_RDONLY);
  dup2(null, STDIN_FILENO);
  redirect(out_, STDOUT_FILENO);
  redirect(err_, STDERR_FILENO);
  if (!command_.directory.empty() && chdir(command_.directory.c_str()) != 0) _exit(126);
  for (const auto& [name, value] : command_.environment) {
    if (value.empty()) unsetenv(name.c_str());
    if (!value.empty()) setenv(name.c_str(), value.c_str(), 1);
  }
  execvp(argv[0], argv.data());
  _exit(127);
}

Process::~Process() {
  if (!ended_) {
    signal_group(SIGKILL);
    reap(0);
  }
  std::error_code ignored;
  std::filesystem::remove(out_, ignored);
  std::filesystem::remove(err_, ignored);
}

void Process::signal(int number) const { kill(pid_, number); }
void Process::signal_group(int number) const { kill(-pid_, number); }
std::string Process::err_so_far() const { return slurp(err_); }

void Process::reap(int options) {
  if (!ended_ && waitpid(pid_, &status_, options) == pid_) ended_ = true;
}

bool Process::running() {
  reap(WNOHANG);
  return !ended_;
}

Finished Process::wait() {
  Finished finished;
  while (running()) {
    if (now_s() - begun_s_ > command_.timeout_s) {
      finished.timed_out = true;
      signal_group(SIGKILL);
      reap(0);
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  finished.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  finished.signal = WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
  finished.out = slurp(out_);
  finished.err = slurp(err_);
  finished.seconds = now_s() - begun_s_;
  return finished;
}

Finished run(Command command) { return Process(std::move(command)).wait(); }

std::vector<std::string> mpirun(int ranks, std::vector<std::string> program) {
  std::vector<std::string> arguments = {"mpirun", "--allow-run-as-root", "--oversubscribe", "-n",
                                        std::to_string(ranks)};
  arguments.insert(arguments.end(), program.begin(), program.end());
  return arguments;
}

}  // namespace evd::test
