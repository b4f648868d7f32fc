#pragma once

#include <span>
#include <vector>

#include "mpi/communicator.hpp"
#include "shard/table.hpp"

namespace evd::run {

/// The files that all ranks have published, by name, on rank 0; empty elsewhere. Collective.
[[nodiscard]] std::vector<shard::FileEntry> gather_files(std::span<const shard::FileEntry> own,
                                                         const mpi::Communicator& world);

}  // namespace evd::run
