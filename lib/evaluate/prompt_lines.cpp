#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluate/prompts.hpp"

namespace evd::evaluate {
namespace {

constexpr std::uint64_t kMaxSeed = 1'000'000'000;
constexpr std::size_t kMaxSeeds = 1000;

std::uint64_t parse_number(std::string_view text, std::string_view what) {
  text = trim(text);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc() || end != text.data() + text.size() || value > kMaxSeed)
    throw UsageError(std::string(what) + ": \"" + std::string(text) +
                     "\" is no number in 0..1000000000");
  return value;
}

void add_range(std::vector<std::uint64_t>& seeds, std::uint64_t first, std::uint64_t last) {
  if (last < first || last - first >= kMaxSeeds)
    throw UsageError("--seeds: " + std::to_string(first) + ".." + std::to_string(last) +
                     " is no range of 1 to 1000 seeds");
  for (std::uint64_t seed = first; seed <= last; ++seed)
    if (std::find(seeds.begin(), seeds.end(), seed) == seeds.end()) seeds.push_back(seed);
}

}  // namespace

std::vector<std::uint64_t> parse_seeds(std::string_view text) {
  std::vector<std::uint64_t> seeds;
  for (const std::string& piece : split(text, ',')) {
    const auto dots = piece.find("..");
    const std::uint64_t first = parse_number(piece.substr(0, dots), "--seeds");
    const std::uint64_t last =
        dots == std::string::npos ? first : parse_number(piece.substr(dots + 2), "--seeds");
    add_range(seeds, first, last);
  }
  return seeds;
}

int parse_checkpoint(std::string_view text) {
  if (text == "start") return run::kStartRound;
  return static_cast<int>(parse_number(text, "--checkpoint (a round, or start)"));
}

PromptLines read_prompts(const std::filesystem::path& file, const data::PromptColumns& columns,
                         std::size_t max_chars) {
  PromptLines lines;
  const auto source = data::open_prompts(file, columns);
  while (const auto raw = source->next())
    if (auto text = data::take_text(*raw, max_chars, lines.remarks))
      lines.taken.push_back({raw->line, std::move(*text)});
  if (lines.taken.empty())
    throw DataError(file.string() + ": no line can be used as a prompt\n" +
                    data::text_of(lines.remarks));
  return lines;
}

}  // namespace evd::evaluate
