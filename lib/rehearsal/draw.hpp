#pragma once

#include "rehearsal/scene.hpp"

namespace evd::rehearsal {

/// A scene of the narrow start distribution: mostly lone things, four colours, few places, never
/// two of a kind. That is the fault the paper finds in static sets (section 4.1): little
/// imagination and high similarity.
[[nodiscard]] Scene draw_start_scene(Random& random);
/// A scene of the whole language: what held-out prompts and mutations ask for.
[[nodiscard]] Scene draw_scene(Random& random);
/// A variation of a scene, as the judge's expansion makes it: one or two attributes changed,
/// sometimes a thing added or taken away.
[[nodiscard]] Scene vary(const Scene& scene, Random& random);

}  // namespace evd::rehearsal
