#include "nn/reference_network.hpp"

#include <ATen/TensorOperators.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/zeros.h>

#include "nn/pixart_names.hpp"
#include "nn/weight_tensor.hpp"

namespace evd::nn::test {

WeightSet pixart_of(const ReferenceRun& run, const std::string& start) {
  WeightSet::Tensors tensors;
  for (const auto& [name, tensor] : run.out().tensors()) {
    if (name.starts_with(start)) tensors[name.substr(start.size())] = tensor;
  }
  return with_original_names(run.out().with(std::move(tensors), nullptr));
}

at::Tensor flat_of(const WeightSet& set, const Layout& layout, at::ScalarType dtype) {
  at::Tensor all = at::zeros({static_cast<std::int64_t>(layout.size())}, dtype);
  for (const auto& p : layout.parameters()) {
    all.narrow(0, static_cast<std::int64_t>(p.offset), static_cast<std::int64_t>(p.count))
        .copy_(view_of(set.at(p.name, p.shape)).flatten());
  }
  return all;
}

TextBatch packed(const at::Tensor& states, const at::Tensor& mask) {
  const at::Tensor lengths = mask.sum(1);
  TextBatch batch;
  std::vector<at::Tensor> rows;
  for (std::int64_t i = 0; i < states.size(0); ++i) {
    batch.lengths.push_back(lengths[i].item<std::int64_t>());
    rows.push_back(states[i].narrow(0, 0, batch.lengths.back()));
  }
  batch.states = at::cat(rows);
  return batch;
}

}  // namespace evd::nn::test
