#pragma once

namespace evd::evaluate {

/// True when the arguments ask for free prompts (`--prompts FILE`) instead of a stage.
[[nodiscard]] bool wants_prompts(int argc, char** argv);

/// The whole of `evd-evaluate DIR --prompts FILE --checkpoint N|start --seeds 0..3 --out FOLDER`:
/// arguments, MPI (with or without mpirun), work, exit code.
int prompts_program(int argc, char** argv);

}  // namespace evd::evaluate
