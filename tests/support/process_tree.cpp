#include "support/process_tree.hpp"

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

namespace evd::test {
namespace {

// Parent of a process, 0 when it is gone or a zombie. The second field is a name that may hold
// anything, so the line is read from its last bracket.
pid_t parent_of(pid_t pid) {
  std::ifstream file("/proc/" + std::to_string(pid) + "/stat");
  std::string line;
  std::getline(file, line);
  const auto bracket = line.rfind(')');
  if (bracket == std::string::npos || line.size() < bracket + 5 || line[bracket + 2] == 'Z')
    return 0;
  return std::atoi(line.c_str() + bracket + 4);
}

std::map<pid_t, pid_t> parents_of_all() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const pid_t pid = std::atoi(entry.path().filename().c_str());
    if (pid > 0) parents[pid] = parent_of(pid);
  }
  return parents;
}

}  // namespace

std::vector<pid_t> living_below(pid_t root) {
  const auto parents = parents_of_all();
  std::vector<pid_t> below;
  for (const auto& [pid, parent] : parents) {
    pid_t ancestor = parent;
    while (ancestor > 1 && ancestor != root) {
      const auto found = parents.find(ancestor);
      ancestor = found == parents.end() ? 0 : found->second;
    }
    if (ancestor == root) below.push_back(pid);
  }
  return below;
}

bool ends(pid_t process, double limit_s) {
  const auto until = std::chrono::steady_clock::now() + std::chrono::duration<double>(limit_s);
  // Whoever lives has a parent; only the first process of all has none.
  while (parent_of(process) != 0) {
    if (std::chrono::steady_clock::now() > until) return false;
    std::this_thread::yield();
  }
  return true;
}

}  // namespace evd::test
