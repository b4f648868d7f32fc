#pragma once

#include "run/program.hpp"

namespace evd::evaluate {

/// evaluate(r): with C_r renders a sampled share of the set that train(r) read, and all held-out
/// prompts; evaluate(start): the held-out prompts with C_start. Publishes renders-00000.h5, ... and
/// metrics.h5. Ranks share parts; parts that a killed attempt has finished are kept. No socket.
[[nodiscard]] run::Result run_stage(run::Context& context);

}  // namespace evd::evaluate
