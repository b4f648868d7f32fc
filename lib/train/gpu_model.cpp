#include "train/gpu_model.hpp"

#include <array>
#include <string>

#include "core/error.hpp"

namespace evd::train {
namespace {

constexpr std::array<GpuModel, 9> kModels = {{{"a100-40", 312, 40e9},
                                              {"a100-80", 312, 80e9},
                                              {"h100-pcie", 756, 80e9},
                                              {"h100", 989, 80e9},
                                              {"h200", 989, 141e9},
                                              {"b200", 2250, 180e9},
                                              {"l40s", 362, 48e9},
                                              {"a40", 150, 48e9},
                                              {"rtx4090", 165, 24e9}}};

}  // namespace

std::span<const GpuModel> gpu_models() { return kModels; }

const GpuModel& find_gpu(std::string_view name) {
  std::string names;
  for (const auto& model : kModels) {
    if (model.name == name) return model;
    names += (names.empty() ? "" : ", ") + std::string(model.name);
  }
  throw ConfigurationError("--gpu " + std::string(name) + " is none that is known here: " + names);
}

}  // namespace evd::train
