#include "new_directory.hpp"

#include "core/error.hpp"
#include "fs/file.hpp"

namespace evd::hands {

NewDirectory::NewDirectory(std::filesystem::path root) : root_(std::move(root)) {
  std::error_code ignored;
  was_there_ = std::filesystem::exists(root_, ignored);
  was_empty_ = was_there_ && std::filesystem::is_directory(root_, ignored) &&
               std::filesystem::is_empty(root_, ignored);
}

NewDirectory::~NewDirectory() {
  // Whatever was there before is not ours to remove.
  if (keep_ || (was_there_ && !was_empty_)) return;
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
