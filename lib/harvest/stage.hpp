#pragma once

#include "run/program.hpp"

namespace evd::harvest {

/// The harvest stage: pictures for all prompts that wait for some (`run` of run::StageProgram).
///
/// Phase 1 asks the teachers for every picture that no record has; whatever dies, what was answered
/// is in the journals. Phase 2 makes the image files from the records, in canonical order.
/// ServiceError when a service stayed away and too few teachers remain for some prompt, or the
/// budget is spent and `harvest.on_budget` = hold; all that was got is kept.
[[nodiscard]] run::Result run_stage(run::Context& context);

}  // namespace evd::harvest
