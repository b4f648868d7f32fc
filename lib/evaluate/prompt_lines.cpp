#include <algorithm>
#include <charconv>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluate/prompts.hpp"
#include "fs/file.hpp"

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

std::string_view explain(PromptFault fault) {
  switch (fault) {
    case PromptFault::blank:
      return "blank";
    case PromptFault::not_utf8:
      return "not UTF-8";
    case PromptFault::too_long:
      return "too long";
    case PromptFault::control_character:
      return "holds control characters";
  }
  return "refused";
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

PromptLines read_prompts(const std::filesystem::path& file, std::size_t max_chars) {
  PromptLines lines;
  const std::string text = fs::read_text(file);
  std::size_t number = 0;
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const auto checked = check_prompt(std::string_view(text).substr(at, end - at), max_chars);
    at = end + 1;
    ++number;
    if (checked.fault == PromptFault::blank) continue;
    if (checked.fault)
      lines.refused.push_back("line " + std::to_string(number) + ": " +
                              std::string(explain(*checked.fault)));
    else
      lines.taken.push_back({number, checked.text});
  }
  if (lines.taken.empty())
    throw DataError(file.string() + ": no line can be used as a prompt (" +
                    std::to_string(lines.refused.size()) + " refused)");
  return lines;
}

}  // namespace evd::evaluate
