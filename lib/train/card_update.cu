// Compiled without contraction to fused multiply-add, as adamw.cpp is: the same bits come out.
#include "cuda/check.hpp"
#include "train/card_update.hpp"

namespace evd::train {
namespace {

constexpr unsigned kThreads = 256;
constexpr std::size_t kMostBlocks = 65535;

__global__ void update_elements(Factors<float> factors, CardParameters p) {
  const std::size_t step = std::size_t{gridDim.x} * blockDim.x;
  for (std::size_t i = std::size_t{blockIdx.x} * blockDim.x + threadIdx.x; i < p.count; i += step) {
    update_element(factors, p.weights[i], p.first_moment[i], p.second_moment[i], p.average[i],
                   p.gradient[i]);
    for (int k = 0; k < p.more; ++k) {
      average_element(p.more_keep[k], p.more_add[k], p.more_averages[k][i], p.weights[i]);
    }
    if (p.computed_is_bfloat16) {
      static_cast<std::uint16_t*>(p.computed)[i] = to_bfloat16(p.weights[i]);
    } else {
      static_cast<float*>(p.computed)[i] = p.weights[i];
    }
  }
}

}  // namespace

void update_on_card(const Factors<float>& factors, const CardParameters& parameters) {
  if (parameters.count == 0) return;
  const std::size_t wanted = (parameters.count + kThreads - 1) / kThreads;
  const auto blocks = static_cast<unsigned>(wanted < kMostBlocks ? wanted : kMostBlocks);
  update_elements<<<blocks, kThreads>>>(factors, parameters);
  cuda::check(cudaGetLastError(), "start the card's optimizer");
}

}  // namespace evd::train
