#include "run/base_file.hpp"

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"

namespace evd::run {

std::filesystem::path base_file(const Campaign& campaign, const Config& config) {
  const auto& base = config.base;
  const auto file = campaign.root() / base.file;  // an absolute path stays absolute
  if (fs::sha256_file(file).hex() != base.sha256)
    throw DataError(file.string() + ": not the start weights of this campaign (base.sha256 is " +
                    base.sha256 + "); put the file back, or name a good copy: evd set " +
                    shell_word(campaign.root().string()) + " base.file=PATH");
  return file;
}

}  // namespace evd::run
