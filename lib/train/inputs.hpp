#pragma once

#include <filesystem>

#include "core/id.hpp"
#include "run/program.hpp"
#include "train/state.hpp"

namespace evd::train {

/// What train(r) reads, found by manifest.
struct Inputs {
  std::filesystem::path set_file;  ///< set.h5 of judge(max(0, r - staleness))
  Sha256 set_content;
  /// C_(r-1)'s checkpoint; empty in round 0.
  std::filesystem::path checkpoint;
  Sha256 checkpoint_content;
  /// Digest of all of it, of the campaign's seed and of every setting that the result depends on.
  Sha256 key;
};

/// DataError when an input's manifest is missing or does not list what it should.
[[nodiscard]] Inputs find_inputs(const run::Context& context);

/// Fills the state that round r starts with: C_(r-1)'s, or in round 0 base.init's. Collective.
/// DataError when a file is not the one that its manifest or base.sha256 names.
void start(State& state, const run::Context& context, const Inputs& inputs);

}  // namespace evd::train
