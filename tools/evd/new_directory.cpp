#include "new_directory.hpp"

#include <cstdlib>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "run/create.hpp"
#include "run/launch.hpp"

namespace evd::hands {
namespace {

bool holds_leases_at_most(const std::filesystem::path& root) {
  std::error_code trouble;
  for (const auto& entry : std::filesystem::directory_iterator(root, trouble))
    if (entry.path().filename() != "leases") return false;
  return !trouble;
}

}  // namespace

NewDirectory::NewDirectory(std::filesystem::path root) : root_(std::move(root)) {
  run::NewCampaign::require_free(root_);
  std::error_code ignored;
  was_there_ = std::filesystem::exists(root_, ignored);
  // As open as the user's umask says; what is in it is as open as the root.
  std::filesystem::create_directories(root_, ignored);
  const run::StageRef init{run::Stage::init, 0};
  lease_.emplace(root_ / "leases" / (run::file_stem(init) + ".json"),
                 run::lease_identity(init, run::job_name(std::getenv), 1), run::system_probes(),
                 run::LeaseTiming{}, log_, [] {});
  // Another one may have finished before we held the lease.
  was_empty_ = holds_leases_at_most(root_);
}

NewDirectory::~NewDirectory() {
  // Whatever was there before is not ours to remove.
  if (keep_ || !was_empty_) return;
  std::error_code ignored;
  if (!was_there_) {
    std::filesystem::remove_all(root_, ignored);
    return;
  }
  for (const auto& entry : std::filesystem::directory_iterator(root_, ignored))
    std::filesystem::remove_all(entry.path(), ignored);
}

void fix_base_weights(run::Config& config) {
  auto& base = config.base;
  if (base.init != run::BaseInit::file) return;
  base.file = std::filesystem::absolute(base.file).string();
  const std::string digest = fs::sha256_file(base.file).hex();
  if (!base.sha256.empty() && base.sha256 != digest)
    throw DataError(base.file + ": its SHA-256 is " + digest +
                    ", not base.sha256 = " + base.sha256);
  base.sha256 = digest;
}

}  // namespace evd::hands
