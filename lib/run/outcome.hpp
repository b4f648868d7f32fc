#pragma once

#include <cstdint>

#include "core/log.hpp"
#include "mpi/communicator.hpp"

namespace evd::run {

enum class Ending : std::uint8_t { done, stopped };

/// How the job ends as a whole: stopped when any rank stopped. By messages with a time limit, not
/// by a collective: when some ranks left at a signal while others still wait for them inside the
/// stage, no collective would ever return. After `grace_s` such a job is aborted with 75: what it
/// saved is judged by its files. `channel` is a communicator that nothing else speaks on.
[[nodiscard]] Ending agree(mpi::Communicator& channel, Ending mine, const Log& log, double grace_s);

}  // namespace evd::run
