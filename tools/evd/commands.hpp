#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace evd::hands {

/// One verb of `evd`: its part of the command line, and what it does once that is parsed. Results
/// go to standard output, everything else to standard error; errors are thrown.
struct Command {
  const CLI::App* app = nullptr;
  std::function<int()> act;  ///< gives the exit code
};

[[nodiscard]] Command add_init(CLI::App& app);
[[nodiscard]] Command add_import(CLI::App& app);
[[nodiscard]] Command add_run(CLI::App& app);
[[nodiscard]] Command add_status(CLI::App& app);
[[nodiscard]] Command add_verify(CLI::App& app);
[[nodiscard]] Command add_gc(CLI::App& app);
[[nodiscard]] Command add_doctor(CLI::App& app);
[[nodiscard]] Command add_report(CLI::App& app);
[[nodiscard]] Command add_export(CLI::App& app);
[[nodiscard]] Command add_query(CLI::App& app);
[[nodiscard]] Command add_set(CLI::App& app);
[[nodiscard]] Command add_submit(CLI::App& app);
[[nodiscard]] Command add_cancel(CLI::App& app);

}  // namespace evd::hands
