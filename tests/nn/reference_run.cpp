#include "nn/reference_run.hpp"

#include <cstdio>
#include <cstdlib>
#include <limits>
#include <memory>
#include <random>
#include <stdexcept>

#include <ATen/TensorOperators.h>

#include "nn/weight_tensor.hpp"
#include "support/process.hpp"

namespace evd::nn::test {

ReferenceRun::ReferenceRun(const std::string& script, const std::vector<std::string>& arguments,
                           double timeout_s)
    : folder_(std::make_unique<evd::test::TempDir>()) {
  std::vector<std::string> command = {
      evd::test::test_torch_python(),
      (evd::test::source_directory() / "tests/nn" / script).string(), folder_->path().string()};
  command.insert(command.end(), arguments.begin(), arguments.end());
  const auto done = evd::test::run({.arguments = command, .timeout_s = timeout_s});
  if (done.code != 0) throw std::runtime_error(done.story());
  out_ = WeightSet::open(file("out.safetensors"));
}

at::Tensor ReferenceRun::operator[](const std::string& name) const {
  const auto found = out_.tensors().find(name);
  if (found == out_.tensors().end()) throw std::runtime_error("the reference wrote no " + name);
  return view_of(found->second).clone();
}

double error_of(const at::Tensor& a, const at::Tensor& b) {
  if (a.sizes() != b.sizes()) return std::numeric_limits<double>::infinity();
  const at::Tensor wanted = b.to(at::kDouble);
  const double error = (a.to(at::kDouble) - wanted).abs().max().item<double>();
  const double scale = wanted.abs().max().item<double>();
  return error == error ? error / scale : std::numeric_limits<double>::infinity();
}

std::uint64_t fresh_seed() {
  const char* given = std::getenv("EVD_TEST_SEED");
  const std::uint64_t seed =
      given != nullptr ? std::strtoull(given, nullptr, 10) : std::random_device()() % 1'000'000;
  std::printf("EVD_TEST_SEED=%llu\n", static_cast<unsigned long long>(seed));
  return seed;
}

}  // namespace evd::nn::test
