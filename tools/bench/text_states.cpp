// What a network with hashed words reads of the prompts of a file, a line each: OUT holds `states`
// (prompts, tokens, width), zeros behind the end of a text, and `lengths` (prompts). For
// tools/bench/qk_norm.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "core/error.hpp"
#include "nn/safetensors.hpp"
#include "nn/text_encoder.hpp"

namespace {

using namespace evd;

void write_states(const char* prompts, const char* out, int width, int max_tokens) {
  nn::TextEncoder encoder(width, max_tokens);
  std::vector<float> states;
  std::vector<std::int64_t> lengths;
  std::ifstream lines(prompts);
  if (!lines) throw IoError(std::string(prompts) + ": cannot be read");
  for (std::string line; std::getline(lines, line);) {
    const auto text = encoder.encode(line);
    states.insert(states.end(), text.values.begin(), text.values.end());
    lengths.push_back(text.tokens);
    states.resize(lengths.size() * static_cast<std::size_t>(width * max_tokens));
  }
  const auto count = static_cast<std::int64_t>(lengths.size());
  nn::write_safetensors(
      out,
      {{"states", {count, max_tokens, width}, states},
       {"lengths", {count}, nn::TensorType::I64, std::as_bytes(std::span(lengths))}},
      {});
}

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 5) {
    std::fprintf(stderr, "usage: text_states PROMPTS OUT WIDTH TOKENS\n");
    return 64;
  }
  write_states(argv[1], argv[2], std::atoi(argv[3]), std::atoi(argv[4]));
  return 0;
} catch (const std::exception& error) {
  std::fprintf(stderr, "text_states: %s\n", error.what());
  return 70;
}
