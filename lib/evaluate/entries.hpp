#pragma once

#include <span>
#include <vector>

#include "mpi/communicator.hpp"
#include "shard/table.hpp"

namespace evd::evaluate {

/// The files that all ranks have published, on rank 0; empty elsewhere. Collective.
[[nodiscard]] std::vector<shard::FileEntry> gather_entries(std::span<const shard::FileEntry> own,
                                                           const mpi::Communicator& world);

}  // namespace evd::evaluate
