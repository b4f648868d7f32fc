#pragma once

#include <filesystem>

namespace evd::nn {

/// Where the `config.json` of diffusers and transformers lies: `path` is that file itself, a file
/// of weights or an index of shards beside it, or their folder. It need not be there.
[[nodiscard]] std::filesystem::path config_beside(const std::filesystem::path& path);

}  // namespace evd::nn
