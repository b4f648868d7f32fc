#pragma once

#include <filesystem>

#include "mpi/communicator.hpp"
#include "run/probe_report.hpp"

namespace evd::probe {

/// Publishes files in `directory` as results are published, and measures how long each rank waits
/// until it sees what another one has written: under a new name, under one that it had looked up
/// before, and under one whose content changed. Collective; fills the file facts of this rank, and
/// gives those of the directory on rank 0. Never throws for what the file system refuses.
[[nodiscard]] run::DirectoryFacts try_files(const std::filesystem::path& directory,
                                            const mpi::Communicator& world, run::RankFacts& own);

}  // namespace evd::probe
