// Time of rendering a set of prompts, texts of 30 words, 20 steps under guidance, by what
// evd-evaluate renders with. One line a round: "step BEGUN ENDED".
#include <cstdio>
#include <cstdlib>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "nn/generator.hpp"
#include "nn/threads.hpp"

int main(int argc, char** argv) {
  using namespace evd;
  const std::string name = argc > 1 ? argv[1] : "";
  const int threads = argc > 2 ? std::atoi(argv[2]) : 0;
  const int rounds = argc > 3 ? std::atoi(argv[3]) : 0;
  if ((name != "rehearsal" && name != "33m") || threads < 1 || rounds < 1) {
    std::fprintf(stderr, "usage: sample rehearsal|33m THREADS ROUNDS\n");
    return 64;
  }
  nn::NetworkOptions network;
  network.max_tokens = 30;
  int images = 32;
  if (name == "33m") {
    network.patch = 2;  // of 3 channels, not 4 as in training: no VAE is there to make pictures
    network.width = 384;
    network.depth = 12;
    network.head_dim = 64;
    network.caption_width = 4096;
    network.max_tokens = 120;
    images = 8;
  }
  nn::DiffusionOptions diffusion;
  diffusion.prediction = nn::Prediction::noise;
  nn::SamplerOptions sampler;
  sampler.sampler = nn::SamplerKind::dpmpp;
  sampler.steps = 20;
  sampler.guidance = 4.5;
  sampler.batch = images / threads;

  nn::use_threads(threads);
  const nn::Generator generator(1, network, diffusion);
  std::vector<nn::RenderRequest> requests;
  for (int i = 0; i < images; ++i) {
    std::string prompt;
    for (int word = 0; word < 30; ++word) {
      prompt += "word" + std::to_string((i * 7 + word) % 64) + " ";
    }
    requests.push_back({prompt, static_cast<std::uint64_t>(i)});
  }
  for (int round = 0; round < rounds; ++round) {
    const double begun_s = monotonic_s();
    static_cast<void>(generator.render(requests, sampler, 1));
    std::printf("step %.6f %.6f\n", begun_s, monotonic_s());
    std::fflush(stdout);
  }
  return 0;
}
