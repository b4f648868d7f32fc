// Seconds of one decoding by our VAE, once for each line that standard input brings: what it runs
// against takes its turns between. usage: vae WEIGHTS LATENTS.safetensors THREADS [TILE]
#include "nn/vae.hpp"

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <string>

#include "nn/safetensors.hpp"
#include "nn/threads.hpp"
#include "nn/weight_tensor.hpp"

namespace {

// Not getrusage: there the peak of the process that started this one counts.
long peak_mib() {
  std::ifstream status("/proc/self/status");
  for (std::string line; std::getline(status, line);) {
    if (line.starts_with("VmHWM:")) return std::stol(line.substr(6)) / 1024;
  }
  return 0;
}

}  // namespace

int main(int count, char** arguments) {
  using namespace evd::nn;
  if (count < 4) return 64;
  use_threads(std::atoi(arguments[3]));
  const int tile = count > 4 ? std::atoi(arguments[4]) : 0;
  const Vae vae(read_vae_options(arguments[1]), WeightSet::open(arguments[1]));
  const auto set = WeightSet::open(arguments[2]);
  const auto latents = view_of(set.tensors().at("latents"));
  const auto wanted = view_of(set.tensors().at("pictures"));
  for (std::string line; std::getline(std::cin, line);) {
    const auto start = std::chrono::steady_clock::now();
    const auto pictures = vae.decode(latents, tile);
    const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
    const double error =
        pictures.sub(wanted).abs().max().item<double>() / wanted.abs().max().item<double>();
    std::printf("%.4f %.3g %ld\n", seconds.count(), error, peak_mib());
    std::fflush(stdout);
  }
}
