#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace evd::rehearsal {

/// One verb of `evd-rehearsal`: its part of the command line, and what it does once that is parsed
/// (not while it is: a misspelt option is told first).
struct Command {
  const CLI::App* app = nullptr;
  std::function<void()> act;
};

[[nodiscard]] Command add_serve(CLI::App& app);
[[nodiscard]] Command add_prompts(CLI::App& app);
[[nodiscard]] Command add_measure(CLI::App& app);
[[nodiscard]] Command add_paint(CLI::App& app);
[[nodiscard]] Command add_read(CLI::App& app);

}  // namespace evd::rehearsal
