#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace evd::weights {

/// One verb of `evd-weights`: its part of the command line, and what it does once that is parsed.
/// Results go to standard output, remarks to standard error; errors are thrown.
struct Command {
  const CLI::App* app = nullptr;
  std::function<void()> act;
};

[[nodiscard]] Command add_info(CLI::App& app);
[[nodiscard]] Command add_convert(CLI::App& app);
[[nodiscard]] Command add_verify(CLI::App& app);
[[nodiscard]] Command add_init(CLI::App& app);

}  // namespace evd::weights
