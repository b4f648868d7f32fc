#include <cstdio>
#include <memory>

#include <CLI/CLI.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "image/image.hpp"
#include "image/sheet.hpp"
#include "rehearsal/commands.hpp"
#include "rehearsal/language.hpp"
#include "rehearsal/reader.hpp"
#include "rehearsal/teachers.hpp"
#include "rehearsal/yardstick.hpp"

namespace evd::rehearsal {
namespace {

struct PaintArguments {
  std::vector<std::string> prompts;
  std::string teacher = "all";
  int size = 128;
  std::uint64_t seed = 1;
  std::string out;
};

// One picture, or a sheet: a row for each prompt, a column for each teacher.
void paint_prompts(const PaintArguments& arguments) {
  std::vector<const Teacher*> hands;
  for (const Teacher& teacher : teachers()) {
    if (arguments.teacher == "all" || arguments.teacher == teacher.name) hands.push_back(&teacher);
  }
  if (hands.empty())
    throw UsageError("--teacher " + arguments.teacher + " is none of: all, " +
                     "aurora, glyph, meadow, drift");
  std::vector<image::Rgb> cells;
  for (const std::string& prompt : arguments.prompts) {
    for (const Teacher* teacher : hands) {
      const auto id = sha256(std::string(teacher->name) + "\n" + prompt).low64();
      const Random random(arguments.seed, Purpose::rehearsal, id);
      cells.push_back(draw(*teacher, prompt, arguments.size, arguments.size, random));
    }
  }
  const auto picture =
      cells.size() == 1 ? cells[0] : image::contact_sheet(cells, static_cast<int>(hands.size()));
  fs::publish(arguments.out, image::encode_png(picture));
}

void read_image(const std::string& file, const std::string& prompt) {
  const auto scene = parse_prompt(prompt);
  if (!scene) throw DataError("the prompt is outside the scene language");
  const auto bytes = fs::read_bytes(file, std::uint64_t{1} << 28U);
  const auto picture = image::decode(bytes);
  std::printf("%-6s %-10s %-9s %6s\n", "item", "kind", "attribute", "reader");
  for (const Fit& it : fits(*scene, picture))
    std::printf("%-6zu %-10s %-9s %6.2f\n", it.item + 1,
                std::string(name(scene->items[it.item].kind)).c_str(),
                std::string(name(it.attribute)).c_str(), it.score);
  std::printf("%-27s %6.2f\n%-27s %6.2f\n", "reader, all", fit(*scene, picture), "yardstick",
              Yardstick().alignment(*scene, picture));
}

}  // namespace

Command add_paint(CLI::App& app) {
  auto* command = app.add_subcommand("paint", "Draw prompts as the teachers would");
  const auto arguments = std::make_shared<PaintArguments>();
  command->add_option("--prompt", arguments->prompts, "What to draw; may be repeated")->required();
  command->add_option("--teacher", arguments->teacher, "aurora, glyph, meadow, drift, or all")
      ->capture_default_str();
  command->add_option("--size", arguments->size, "Side (px)")
      ->capture_default_str()
      ->check(CLI::Range(16, 2048));
  command->add_option("--seed", arguments->seed, "Of faults and hand")->capture_default_str();
  command->add_option("--out", arguments->out, "PNG to write: a sheet when there are several")
      ->required();
  return {command, [arguments] { paint_prompts(*arguments); }};
}

Command add_read(CLI::App& app) {
  auto* command =
      app.add_subcommand("read", "Say what the judge and the yardstick see in an image");
  const auto file = std::make_shared<std::string>();
  const auto prompt = std::make_shared<std::string>();
  command->add_option("image", *file, "PNG, JPEG or WebP")->required();
  command->add_option("--prompt", *prompt, "What it should show")->required();
  return {command, [file, prompt] { read_image(*file, *prompt); }};
}

}  // namespace evd::rehearsal
