#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace evd::teacher {

/// A few threads that run tasks in the order given, started with the first task. They take no
/// signals. Tasks must not throw.
class Workers {
 public:
  explicit Workers(int threads) : wanted_(threads) {}
  /// Tasks that have not begun are dropped.
  ~Workers();
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void run(std::function<void()> task);

 private:
  void work();
  int wanted_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> tasks_;
  bool ending_ = false;
  std::vector<std::thread> threads_;
};

/// A thread in which every signal is blocked: signals belong to the main thread.
[[nodiscard]] std::thread quiet_thread(std::function<void()> body);

}  // namespace evd::teacher
