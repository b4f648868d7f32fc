#include <iostream>
#include <memory>
#include <set>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "rehearsal/commands.hpp"
#include "rehearsal/draw.hpp"
#include "rehearsal/language.hpp"

namespace evd::rehearsal {
namespace {

struct Arguments {
  std::string kind = "start";
  std::size_t count = 1000;
  std::uint64_t seed = 1;
};

// Distinct prompts. A narrow distribution runs out of plain ones: then longer wordings of the same
// scenes come, as in any large heap of captions.
void print_prompts(const Arguments& arguments) {
  const bool start = arguments.kind == "start";
  std::set<std::string> printed;
  for (std::uint64_t i = 0; printed.size() < arguments.count; ++i) {
    if (i > 200 * arguments.count + 1000)
      throw ConfigurationError("the language has no " + std::to_string(arguments.count) + " " +
                               arguments.kind + " prompts (ask for fewer)");
    // Held-out prompts must not follow from a start set's seed.
    Random random(arguments.seed, Purpose::rehearsal, i, start ? 10 : 11);
    const Scene scene = start ? draw_start_scene(random) : draw_scene(random);
    const bool longer = start && i > arguments.count;
    const std::string prompt = prompt_of(scene, longer ? Style::dense : Style::plain, random);
    if (printed.insert(prompt).second) std::cout << prompt << "\n";
  }
}

}  // namespace

Command add_prompts(CLI::App& app) {
  auto* command = app.add_subcommand("prompts", "Print prompts of the scene language, one a line");
  const auto arguments = std::make_shared<Arguments>();
  command->add_option("--kind", arguments->kind, "start = narrow, heldout = the whole language")
      ->capture_default_str()
      ->check(CLI::IsMember({"start", "heldout"}));
  command->add_option("--count", arguments->count, "How many, all distinct")
      ->capture_default_str()
      ->check(CLI::Range(1, 1000000));
  command->add_option("--seed", arguments->seed, "Of the draw")->capture_default_str();
  return {command, [arguments] { print_prompts(*arguments); }};
}

}  // namespace evd::rehearsal
