// Encodes FOLDER/texts.safetensors (ids and lengths, I64) with the T5 in FOLDER, in a dtype (float,
// double, bfloat16), and writes the states to FOLDER/states.safetensors. One line of JSON: seconds,
// and the peaks of anonymous memory and of PSS while it encoded.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <string>
#include <thread>

#include "nn/safetensors.hpp"
#include "nn/t5.hpp"
#include "nn/weight_tensor.hpp"

namespace {

using namespace evd;

double kib_of(const char* file, const std::string& key) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.rfind(key, 0) == 0) return std::stod(line.substr(key.size()));
  }
  return 0;
}

struct Peaks {
  double anonymous_kib = 0;
  double pss_kib = 0;
};

void watch(const std::atomic<bool>& done, Peaks& peaks) {
  while (!done) {
    peaks.anonymous_kib = std::max(peaks.anonymous_kib, kib_of("/proc/self/status", "RssAnon:"));
    peaks.pss_kib = std::max(peaks.pss_kib, kib_of("/proc/self/smaps_rollup", "Pss:"));
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
}

std::vector<std::vector<int>> read_texts(const std::filesystem::path& path) {
  const auto set = nn::WeightSet::open(path);
  const auto values = [&](const char* name) {
    const at::Tensor t = nn::copy_of(set.tensors().at(name), at::kLong);
    const auto* data = t.const_data_ptr<std::int64_t>();
    return std::vector<std::int64_t>(data, data + t.numel());
  };
  const auto ids = values("ids");
  std::vector<std::vector<int>> texts;
  auto next = ids.begin();
  for (const auto length : values("lengths")) {
    texts.emplace_back(next, next + length);
    next += length;
  }
  return texts;
}

void measure(const std::filesystem::path& folder, const std::string& type) {
  const auto dtype = type == "double"     ? at::kDouble
                     : type == "bfloat16" ? at::kBFloat16
                                          : at::kFloat;
  const auto texts = read_texts(folder / "texts.safetensors");
  std::atomic<bool> done = false;
  Peaks peaks;
  std::thread watcher(watch, std::cref(done), std::ref(peaks));
  const auto begin = std::chrono::steady_clock::now();
  nn::T5Encoder encoder(nn::WeightSet::open(folder / "model.safetensors.index.json"),
                        nn::read_t5_options(folder), dtype);
  const auto encoded = encoder.encode(texts);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - begin;
  done = true;
  watcher.join();
  const at::Tensor states = encoded.states.to(at::kDouble).contiguous();
  nn::write_safetensors(folder / "states.safetensors",
                        {{"states",
                          {states.size(0), states.size(1)},
                          nn::TensorType::F64,
                          Bytes(static_cast<const std::byte*>(states.const_data_ptr()),
                                static_cast<std::size_t>(states.numel()) * sizeof(double))}},
                        {});
  std::printf(
      "{\"dtype\": \"%s\", \"texts\": %zu, \"tokens\": %lld, \"seconds\": %.2f, "
      "\"peak_anonymous_mib\": %.0f, \"peak_pss_mib\": %.0f}\n",
      type.c_str(), texts.size(), static_cast<long long>(states.size(0)), seconds.count(),
      peaks.anonymous_kib / 1024, peaks.pss_kib / 1024);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::fprintf(stderr, "usage: t5_encode FOLDER float|double|bfloat16\n");
    return 64;
  }
  try {
    measure(argv[1], argv[2]);
  } catch (const std::exception& error) {
    std::fprintf(stderr, "t5_encode: %s\n", error.what());
    return 70;
  }
  return 0;
}
