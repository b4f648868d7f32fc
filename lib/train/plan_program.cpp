#include "train/plan_program.hpp"

#include <iostream>
#include <string_view>

#include <CLI/CLI.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/log.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "run/campaign.hpp"
#include "run/options.hpp"
#include "train/gpu_model.hpp"
#include "train/memory_limit.hpp"
#include "train/memory_plan.hpp"

namespace evd::train {
namespace {

run::Config config_of(const PlanArguments& given) {
  run::Config config;
  if (!given.config_file.empty()) {
    config = run::parse_config(fs::read_text(given.config_file), given.config_file);
  } else if (!given.directory.empty()) {
    config = run::Campaign(given.directory).config(given.round);
  } else {
    throw UsageError("what is to be planned? Give DIR, or --config FILE");
  }
  run::apply_settings(config, given.settings);
  return config;
}

std::string grouped(std::size_t value) {
  std::string digits = std::to_string(value);
  for (int i = static_cast<int>(digits.size()) - 3; i > 0; i -= 3) {
    digits.insert(static_cast<std::size_t>(i), ",");
  }
  return digits;
}

std::string line(const char* what, const std::string& text) {
  return format("%-12s  %s\n", what, text.c_str());
}

std::string memory_lines(const MemoryPlan& plan, int ranks_per_node) {
  std::string text;
  for (const auto& buffer : plan.buffers()) {
    text += format("  %-20s %10s %s\n", buffer.name.c_str(), human_bytes(buffer.bytes).c_str(),
                   buffer.on_card     ? "a card"
                   : buffer.is_shared ? "once a node"
                                      : "a rank");
  }
  if (plan.card_bytes() > 0) {
    text +=
        format("  %-20s %10s of each card\n", "together", human_bytes(plan.card_bytes()).c_str());
  }
  text += format("  %-20s %10s of one rank, %s of a node of %d\n", "together",
                 human_bytes(plan.rank_bytes()).c_str(),
                 human_bytes(plan.node_bytes(ranks_per_node)).c_str(), ranks_per_node);
  return text;
}

std::string fit_line(const MemoryPlan& plan, const PlanArguments& given) {
  if (plan.card_bytes() > 0) {
    if (given.gpu.empty()) return "unknown: name a card (--gpu)";
    const auto& gpu = find_gpu(given.gpu);
    return format("%s on an %s of %s", plan.card_bytes() <= gpu.memory_bytes ? "yes," : "no,",
                  std::string(gpu.name).c_str(), human_bytes(gpu.memory_bytes).c_str());
  }
  const auto limit = least(memory_limits(), MemoryLimit::Of::node);
  if (!limit) return "unknown: no limit can be read here";
  return format("%d ranks on a node like this one (%s leaves %s)",
                plan.ranks_that_fit(limit->bytes), limit->name.c_str(),
                human_bytes(limit->bytes).c_str());
}

/// A card is planned for when one is named, or asked for: none has to be here.
nn::Engine planned_engine(const run::Config& config, const PlanArguments& given) {
  const bool card = config.compute.device == nn::DeviceKind::cuda ||
                    (config.compute.device == nn::DeviceKind::automatic && !given.gpu.empty());
  return {card ? 0 : -1, config.compute.precision};
}

std::string time_line(const run::Config& config, const PlanArguments& given, double flops) {
  const auto& gpu = find_gpu(given.gpu);
  const double step_s = flops / (given.ranks * gpu.tflops * 1e12 * given.utilisation);
  const double round_s = step_s * config.train.steps_per_round;
  return format(
      "%s a step, %.1f images/s, %s a round: %d x %s (%.0f TFLOP/s bf16) at %.0f %% of "
      "it; exchange and waiting not counted",
      step_s < 1 ? format("%.0f ms", 1e3 * step_s).c_str() : human_duration(step_s).c_str(),
      config.train.batch / step_s, human_duration(round_s).c_str(), given.ranks,
      std::string(gpu.name).c_str(), gpu.tflops, 100 * given.utilisation);
}

}  // namespace

void add_plan_options(CLI::App& app, PlanArguments& given) {
  constexpr const char* kGroup = "What training needs, instead of training";
  app.add_flag("--plan")
      ->description("Print parameters, memory, work and time of a step, and leave")
      ->group(kGroup);
  app.add_option("--config", given.config_file, "Configuration file instead of a campaign")
      ->type_name("FILE")
      ->group(kGroup);
  app.add_option("--ranks", given.ranks, "Ranks that are planned for")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--ranks-per-node", given.ranks_per_node, "Of them on one node [all]")
      ->check(CLI::Range(1, 1000000))
      ->type_name("N")
      ->group(kGroup);
  app.add_option("--gpu", given.gpu, "Card that is planned for: h100, a100-80, ...")
      ->type_name("NAME")
      ->group(kGroup);
  app.add_option("--utilisation", given.utilisation, "Share of the card's peak that is reached")
      ->check(CLI::Range(0.01, 1.0))
      ->capture_default_str()
      ->group(kGroup);
}

bool wants_plan(int argc, char** argv) {
  bool wanted = false;
  for (int i = 1; i < argc; ++i) {
    const std::string_view argument = argv[i];
    if (argument == "--help" || argument == "-h") return false;
    wanted = wanted || argument == "--plan";
  }
  return wanted;
}

std::string plan_text(const run::Config& config, const PlanArguments& given) {
  const nn::Layout layout(config.network, config.diffusion);
  const JobShape job =
      job_of(config, given.ranks, given.ranks_per_node > 0 ? given.ranks_per_node : given.ranks,
             planned_engine(config, given));
  const MemoryPlan plan(layout, job);
  const PassShape whole{job.batch, tokens_of(config.network), job.batch * job.text_tokens};
  const double flops = training_flops(config.network, config.diffusion, whole, job.recompute);
  std::string text =
      line("network", format("%s parameters in %zu tensors, %d blocks of width %d",
                             grouped(layout.trained()).c_str(), layout.parameters().size(),
                             config.network.depth, config.network.width));
  text += line("batch", format("%d pictures over %d rank%s, %lld a rank; %lld tokens a picture, at "
                               "most %d a text",
                               config.train.batch, job.ranks, job.ranks == 1 ? "" : "s",
                               static_cast<long long>(samples_per_rank(job)),
                               static_cast<long long>(whole.tokens), config.network.max_tokens));
  text += line("memory", std::string(job.engine.on_card() ? "on cards, " : "on CPUs, ") +
                             std::string(name(job.engine.precision)) + ", texts at their longest");
  text += memory_lines(plan, job.ranks_per_node);
  text += line("fits", fit_line(plan, given));
  text += line("work", format("%.3g TFLOP a step, %.3g TFLOP a picture (forward and backward)",
                              flops / 1e12, flops / 1e12 / config.train.batch));
  if (!given.gpu.empty() && job.engine.on_card()) {
    text += line("time", job.engine.precision == nn::Precision::bfloat16
                             ? time_line(config, given, flops)
                             : "not told in float32: the cards' peaks are known of bfloat16 "
                               "(--set compute.precision=bfloat16)");
  }
  return text;
}

int plan_program(int argc, char** argv) {
  const Log log("train", 0);
  CLI::App app("What training needs: parameters, memory, work and time of a step", "evd-train");
  PlanArguments given;
  app.add_option("DIR", given.directory, "Campaign directory (made by evd init)");
  app.add_option("--round", given.round, "Round whose configuration is taken")->type_name("N");
  app.add_option("--set", given.settings, "Another value of a key")
      ->type_name("KEY=VALUE")
      ->allow_extra_args(false);
  add_plan_options(app, given);
  if (const auto code = run::parse_command_line(app, argc, argv, run::Speaks::yes)) return *code;
  try {
    std::cout << plan_text(config_of(given), given) << std::flush;
    if (!std::cout) throw IoError("write to standard output: it does not take any more");
    return static_cast<int>(ExitCode::done);
  } catch (const std::exception& error) {
    log.error(error.what());
    return static_cast<int>(exit_code(error));
  }
}

}  // namespace evd::train
