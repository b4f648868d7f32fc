#pragma once

namespace CLI {
class App;
}

namespace evd::rehearsal {

/// Each adds one subcommand with its options; the work is done in the subcommand's callback.
void add_serve(CLI::App& app);
void add_prompts(CLI::App& app);
void add_measure(CLI::App& app);
void add_paint(CLI::App& app);
void add_read(CLI::App& app);

}  // namespace evd::rehearsal
