#pragma once

#include "mpi/communicator.hpp"
#include "teacher/caller.hpp"

namespace evd::run {

/// Collective, after the last answer: where the journal of any rank could not go on, rank 0 throws
/// an IoError that says where and why, how many answers are lost, and what to do; the others wait
/// for the end of the job, so that it is said once.
void require_journals(const mpi::Communicator& world,
                      const teacher::Caller::JournalFailure& failure);

}  // namespace evd::run
