#pragma once

#include <filesystem>
#include <vector>

#include "doctor_check.hpp"
#include "run/config.hpp"

namespace evd::hands {

/// Our programs in `prefix`: that they are there and start; LibTorch is what evd-train and
/// evd-evaluate need for that.
[[nodiscard]] std::vector<Check> check_programs(const std::filesystem::path& prefix);
/// Keys of the services, never their values, and what their TLS needs. `jobs`: they are asked by
/// jobs of Slurm, which must not carry a key in their environment.
[[nodiscard]] std::vector<Check> check_services(const run::Config& config, bool jobs);
/// mpirun, for one machine.
[[nodiscard]] Check check_mpirun();

}  // namespace evd::hands
