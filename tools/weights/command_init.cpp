#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "nn/model_file.hpp"
#include "run/config.hpp"
#include "weights/commands.hpp"

namespace evd::weights {
namespace {

struct InitOptions {
  std::filesystem::path to;
  std::filesystem::path config;
  std::vector<std::string> settings;
  std::optional<std::uint64_t> seed;
};

void run_init(const InitOptions& options) {
  if (std::filesystem::exists(options.to)) {
    throw UsageError(options.to.string() + ": it is there (name a new file)");
  }
  run::Config config;
  if (!options.config.empty()) {
    config = run::parse_config(fs::read_text(options.config), options.config.string());
  }
  run::apply_settings(config, options.settings);
  const nn::Layout layout(config.network, config.diffusion);
  const auto weights = nn::start_weights(layout, options.seed.value_or(config.campaign.seed));
  const auto written = nn::write_model(options.to, layout, weights);
  std::cout << options.to.string() << "  " << layout.trained() << " parameters, sha256 "
            << written.sha256.hex() << "\n";
}

}  // namespace

Command add_init(CLI::App& app) {
  const auto options = std::make_shared<InitOptions>();
  auto* verb = app.add_subcommand("init", "Draws start weights, as base.init = random would");
  verb->add_option("TO", options->to, "A new safetensors file")->required();
  verb->add_option("--config", options->config,
                   "A campaign's configuration: [network], [diffusion]");
  verb->add_option("--set", options->settings, "key=value over it");
  verb->add_option("--seed", options->seed, "Default: campaign.seed");
  return {verb, [options] { run_init(*options); }};
}

}  // namespace evd::weights
