#include "launcher.hpp"

#include <array>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fstream>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::hands {
namespace {

std::string find_mpirun() {
  if (const char* named = std::getenv("EVD_MPIRUN"); named != nullptr && *named != '\0')
    return named;
  const char* path = std::getenv("PATH");
  for (const auto& directory : split(path != nullptr ? path : "", ':')) {
    const std::string candidate = directory + "/mpirun";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  throw ConfigurationError(
      "there is no mpirun on PATH; load your MPI's module, or name one by EVD_MPIRUN");
}

// Open MPI's name stands in what its mpirun calls itself.
bool is_open_mpi(const std::string& mpirun) {
  std::FILE* pipe = ::popen(("'" + mpirun + "' --version 2>&1").c_str(), "re");
  if (pipe == nullptr) return false;
  std::array<char, 256> buffer{};
  std::string text;
  while (std::fgets(buffer.data(), buffer.size(), pipe) != nullptr) text += buffer.data();
  ::pclose(pipe);
  return text.find("Open MPI") != std::string::npos || text.find("OpenRTE") != std::string::npos;
}

[[noreturn]] void become(const JobRunner::Job& job, const sigset_t& signals, pid_t parent) {
  setpgid(0, 0);
  // mpirun hands SIGUSR1 to the ranks: they save and leave when we are gone.
  prctl(PR_SET_PDEATHSIG, SIGUSR1);
  if (getppid() != parent) _exit(75);
  pthread_sigmask(SIG_SETMASK, &signals, nullptr);
  const int null = ::open("/dev/null", O_RDONLY);
  const int log = ::open(job.log.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0666);
  if (null >= 0) dup2(null, STDIN_FILENO);
  if (log >= 0) {
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
  }
  for (const auto& [name, value] : job.environment) setenv(name.c_str(), value.c_str(), 1);
  std::vector<char*> arguments;
  for (const auto& word : job.command) arguments.push_back(const_cast<char*>(word.c_str()));
  arguments.push_back(nullptr);
  execvp(arguments.front(), arguments.data());
  const std::string what = job.command.front() + ": " + std::strerror(errno) + "\n";
  [[maybe_unused]] const auto written = ::write(STDERR_FILENO, what.data(), what.size());
  _exit(static_cast<int>(ExitCode::configuration));
}

// Parent of a process, as /proc tells; 0 when there is none such.
pid_t parent_of(pid_t process) {
  std::ifstream file("/proc/" + std::to_string(process) + "/stat");
  std::string stat;
  std::getline(file, stat);
  const auto bracket = stat.rfind(')');
  if (bracket == std::string::npos) return 0;
  const auto fields = split(std::string_view(stat).substr(bracket + 2), ' ');
  return fields.size() > 1 ? std::atoi(fields[1].c_str()) : 0;
}

// SIGKILL to a job and all that it started: mpirun's ranks have process groups of their own, and
// would live on without it.
void kill_tree(pid_t root) {
  std::map<pid_t, std::vector<pid_t>> children;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", ignored))
    if (const pid_t process = std::atoi(entry.path().filename().c_str()); process > 0)
      children[parent_of(process)].push_back(process);
  std::vector<pid_t> tree = {root};
  for (std::size_t i = 0; i < tree.size(); ++i)
    for (const pid_t child : children[tree[i]]) tree.push_back(child);
  for (const pid_t process : tree) kill(process, SIGKILL);
}

int exit_code_of(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

}  // namespace

std::vector<std::string> launch_command(int ranks, const std::vector<std::string>& program) {
  static const std::string mpirun = find_mpirun();
  static const bool open_mpi = is_open_mpi(mpirun);
  std::vector<std::string> command = {mpirun, "-n", std::to_string(ranks)};
  if (open_mpi) {
    if (geteuid() == 0) command.emplace_back("--allow-run-as-root");
    // Hardware threads count as cores here, and a rank's threads must not be tied to one core.
    command.insert(command.end(), {"--oversubscribe", "--bind-to", "none"});
  }
  command.insert(command.end(), program.begin(), program.end());
  return command;
}

JobRunner::JobRunner() {
  sigemptyset(&stops_);
  for (const int signal : {SIGINT, SIGTERM, SIGHUP, SIGUSR1}) sigaddset(&stops_, signal);
  signals_ = stops_;
  sigaddset(&signals_, SIGCHLD);
  pthread_sigmask(SIG_BLOCK, &signals_, &before_);
}

JobRunner::~JobRunner() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }

bool JobRunner::take_stop() {
  const timespec now{};
  bool stop = false;
  while (sigtimedwait(&stops_, nullptr, &now) > 0) stop = true;
  return stop;
}

JobEnd JobRunner::run(const Job& job) {
  const double begun_s = monotonic_s();
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) throw_errno("start", job.command.front());
  if (child == 0) become(job, before_, parent);
  setpgid(child, child);  // in both, so that no signal comes too early

  JobEnd end;
  const timespec tick{.tv_sec = 0, .tv_nsec = 200'000'000};
  while (true) {
    const int signal = sigtimedwait(&signals_, nullptr, &tick);
    if (signal == SIGCHLD || signal < 0) {
      int status = 0;
      if (waitpid(child, &status, WNOHANG) == child) {
        end.code = exit_code_of(status);
        break;
      }
      if (job.every) job.every();
      continue;
    }
    if (end.told_to_stop) {
      end.killed = true;
      kill_tree(child);
    } else {
      end.told_to_stop = true;
      kill(child, SIGUSR1);
    }
  }
  end.wall_s = monotonic_s() - begun_s;
  return end;
}

}  // namespace evd::hands
