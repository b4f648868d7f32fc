#include "nn/network_case.hpp"

#include <ATen/ops/cat.h>
#include <ATen/ops/from_blob.h>

#include "core/random.hpp"

namespace evd::nn::test {
namespace {

NetworkOptions small(QkNorm norm) {
  NetworkOptions n;
  n.input_size = 12;
  n.channels = 3;
  n.patch = 4;
  n.width = 24;
  n.depth = 2;
  n.head_dim = 12;
  n.caption_width = 10;
  n.max_tokens = 5;
  n.qk_norm = norm;
  return n;
}

DiffusionOptions diffusion(bool learned_variance) {
  DiffusionOptions d;
  d.learned_variance = learned_variance;
  return d;
}

std::vector<float> normals(std::size_t count, std::uint64_t id) {
  std::vector<float> values(count);
  Random(7, Purpose::test, id).fill_normal(values);
  return values;
}

}  // namespace

NetworkCase::NetworkCase(QkNorm norm, bool learned_variance)
    : layout(small(norm), diffusion(learned_variance)), weights(layout.size()) {
  const auto& n = layout.network();
  for (const auto& parameter : layout.parameters()) {
    auto values = normals(parameter.count, parameter.offset);
    for (std::size_t i = 0; i < values.size(); ++i) {
      weights[parameter.offset + i] = 0.2F * values[i];
    }
  }
  z = normals(static_cast<std::size_t>(kBatch * n.channels * n.input_size * n.input_size), 1);
  t = {999, 17, 402.5F};
  states = normals(static_cast<std::size_t>(kBatch * n.max_tokens * n.caption_width), 2);
  lengths = {5, 1, 3};
}

at::Tensor NetworkCase::input(const std::vector<float>& values, at::IntArrayRef shape,
                              at::ScalarType dtype) const {
  return at::from_blob(const_cast<float*>(values.data()), shape, at::kFloat).to(dtype, false, true);
}

Network NetworkCase::network(Kernels kernels, at::ScalarType dtype) const {
  return Network(layout, input(weights, {static_cast<std::int64_t>(weights.size())}, dtype),
                 kernels);
}

TextBatch NetworkCase::text(at::ScalarType dtype) const {
  const auto& n = layout.network();
  const at::Tensor padded = input(states, {kBatch, n.max_tokens, n.caption_width}, dtype);
  TextBatch batch;
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < kBatch; ++i) {
    batch.lengths.push_back(static_cast<std::int64_t>(lengths[static_cast<std::size_t>(i)]));
    rows.push_back(padded[i].narrow(0, 0, batch.lengths.back()));
  }
  batch.states = at::cat(rows);
  return batch;
}

at::Tensor NetworkCase::output(const Network& network) const {
  const auto& n = layout.network();
  const auto dtype = network.dtype();
  return network.forward(input(z, {kBatch, n.channels, n.input_size, n.input_size}, dtype),
                         input(t, {kBatch}, dtype), network.keys_of(text(dtype)));
}

}  // namespace evd::nn::test
