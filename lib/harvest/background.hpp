#pragma once

#include <functional>
#include <future>
#include <memory>
#include <optional>
#include <thread>
#include <utility>

#include "teacher/workers.hpp"

namespace evd::harvest {

/// One piece of work at a time in a thread beside the caller's. What it throws, finish() throws.
template <class T>
class Background {
 public:
  Background() = default;
  /// Waits for work that nobody has asked after.
  ~Background() {
    if (thread_.joinable()) thread_.join();
  }
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// finish() comes first, if there was work before.
  void begin(std::function<T()> work) {
    std::packaged_task<T()> task(std::move(work));
    result_ = task.get_future();
    // The task goes with the thread, and what it holds with it.
    auto held = std::make_shared<std::packaged_task<T()>>(std::move(task));
    thread_ = teacher::quiet_thread([held]() mutable {
      (*held)();
      held.reset();
    });
  }
  /// Waits for the work's result; nothing when none was begun.
  [[nodiscard]] std::optional<T> finish() {
    if (!thread_.joinable()) return std::nullopt;
    thread_.join();
    return result_.get();
  }

 private:
  std::thread thread_;
  std::future<T> result_;
};

}  // namespace evd::harvest
