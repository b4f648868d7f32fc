#include "nn/config_beside.hpp"

namespace evd::nn {

std::filesystem::path config_beside(const std::filesystem::path& path) {
  if (std::filesystem::is_directory(path)) return path / "config.json";
  const bool is_index = path.string().ends_with(".index.json");
  if (path.extension() == ".json" && !is_index) return path;
  return path.parent_path() / "config.json";
}

}  // namespace evd::nn
