#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "doctor_check.hpp"
#include "run/site.hpp"

namespace evd::hands {

/// A site file and where it came from.
struct SiteChoice {
  std::string name;
  std::string text;  ///< with the prefix of the programs
  run::Site site;
};

/// Whether a site asks Slurm for anything: one machine's does not.
[[nodiscard]] bool names_a_cluster(const run::Site& site);

/// Slurm's commands, its MPI plug-ins, and for each stage its partition and whether sbatch would
/// take its job (`sbatch --test-only`, which submits nothing). `directory`: a campaign, or where
/// one is to be.
[[nodiscard]] std::vector<Check> check_slurm(const SiteChoice& choice,
                                             const std::filesystem::path& directory);

}  // namespace evd::hands
