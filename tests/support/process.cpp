#include "support/process.hpp"

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <stdexcept>
#include <thread>

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support/process_tree.hpp"
#include "support/temp_dir.hpp"

namespace evd::test {
namespace {

double now_s() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

void pause_a_moment() { std::this_thread::sleep_for(std::chrono::milliseconds(2)); }

std::filesystem::path temporary_file() {
  std::string name = (std::filesystem::temp_directory_path() / "evd-output-XXXXXX").string();
  const int descriptor = mkstemp(name.data());
  if (descriptor < 0) throw std::runtime_error("mkstemp failed");
  close(descriptor);
  return name;
}

void redirect(const std::filesystem::path& path, int flags, int target) {
  const int descriptor = open(path.c_str(), flags | O_CLOEXEC);
  if (descriptor < 0 || dup2(descriptor, target) < 0) _exit(126);
}

}  // namespace

std::string Finished::story() const {
  const std::string end =
      signal != 0 ? "signal " + std::to_string(signal) : "exit code " + std::to_string(code);
  return end + (timed_out ? ", out of time" : "") + ", after " + std::to_string(seconds) +
         " s\n--- standard output\n" + out + "\n--- standard error\n" + err + "\n---";
}

Process::Process(Command command)
    : command_(std::move(command)),
      begun_s_(now_s()),
      in_(temporary_file()),
      out_(temporary_file()),
      err_(temporary_file()) {
  write_file(in_, command_.input);
  std::vector<char*> argv;
  for (auto& argument : command_.arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  pid_ = fork();
  if (pid_ < 0) throw std::runtime_error("fork failed");
  if (pid_ != 0) {
    setpgid(pid_, pid_);  // here too: a signal may be sent before the child has come so far
    return;
  }
  setpgid(0, 0);
  redirect(in_, O_RDONLY, STDIN_FILENO);
  redirect(out_, O_WRONLY | O_APPEND, STDOUT_FILENO);
  redirect(err_, O_WRONLY | O_APPEND, STDERR_FILENO);
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
    kill_tree();
    reap(0);
  }
  std::error_code ignored;
  for (const auto& file : {in_, out_, err_}) std::filesystem::remove(file, ignored);
}

// After its end the id may belong to somebody else.
void Process::signal(int number) const {
  if (!ended_) kill(pid_, number);
}
void Process::signal_group(int number) const {
  if (!ended_) kill(-pid_, number);
}
std::vector<pid_t> Process::descendants() const { return living_below(pid_); }
pid_t Process::descendant(const std::string& name) const {
  for (const pid_t pid : descendants()) {
    std::error_code gone;
    const auto path = std::filesystem::read_symlink("/proc/" + std::to_string(pid) + "/exe", gone);
    if (!gone && path.filename() == name) return pid;
  }
  return 0;
}
std::string Process::out_so_far() const { return read_file(out_); }
std::string Process::err_so_far() const { return read_file(err_); }

void Process::kill_tree() const {
  // Read before the root dies: orphans would not be found any more.
  const auto below = descendants();
  signal_group(SIGKILL);
  for (const pid_t pid : below) kill(pid, SIGKILL);
}

bool Process::wait_for(const std::string& text, double limit_s) {
  const double begun_s = now_s();
  while (true) {
    const bool may_say_more = running() && now_s() - begun_s < limit_s;
    if (out_so_far().find(text) != std::string::npos) return true;
    if (err_so_far().find(text) != std::string::npos) return true;
    if (!may_say_more) return false;
    pause_a_moment();
  }
}

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
      kill_tree();
      reap(0);
    }
    pause_a_moment();
  }
  finished.code = WIFEXITED(status_) ? WEXITSTATUS(status_) : -1;
  finished.signal = WIFSIGNALED(status_) ? WTERMSIG(status_) : 0;
  finished.out = read_file(out_);
  finished.err = read_file(err_);
  finished.seconds = now_s() - begun_s_;
  return finished;
}

Finished run(Command command) { return Process(std::move(command)).wait(); }

std::vector<std::string> mpirun(int ranks, std::vector<std::string> program) {
  std::vector<std::string> arguments = {EVD_MPIRUN, "--allow-run-as-root", "--oversubscribe", "-n",
                                        std::to_string(ranks)};
  arguments.insert(arguments.end(), program.begin(), program.end());
  return arguments;
}

std::string program(const std::string& name) {
  const auto path = std::filesystem::path(EVD_PROGRAM_DIRECTORY) / name;
  if (!std::filesystem::exists(path)) throw std::runtime_error(path.string() + " is not built");
  return path.string();
}

std::string copy_for_anyone(const std::string& program, const std::filesystem::path& directory) {
  using std::filesystem::perms;
  const auto copy = directory / std::filesystem::path(program).filename();
  std::filesystem::copy_file(program, copy);
  std::filesystem::permissions(copy, perms(0755));
  std::filesystem::permissions(directory, perms(0055), std::filesystem::perm_options::add);
  return copy.string();
}

std::vector<std::string> as_nobody(std::vector<std::string> command) {
  const std::vector<std::string> nobody = {"setpriv", "--reuid=65534", "--regid=65534",
                                           "--clear-groups"};
  if (geteuid() == 0) command.insert(command.begin(), nobody.begin(), nobody.end());
  return command;
}

std::string test_python() { return EVD_TEST_PYTHON; }

std::string test_torch_python() { return EVD_TEST_TORCH_PYTHON; }
std::filesystem::path source_directory() { return EVD_SOURCE_DIRECTORY; }

}  // namespace evd::test
