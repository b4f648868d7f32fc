#pragma once

#include <vector>

#include <ATen/core/Tensor.h>

#include "nccl/collectives.hpp"
#include "train/exchange.hpp"

namespace evd::train {

/// Where weights are computed with that are not their own master: on cards, and in bfloat16. Each
/// rank has all weights in the type of the computation and all gradients in float, and owns the
/// master of its parts (ZeRO stage 1). A bucket is summed as soon as backward has filled it, beside
/// backward where the collectives go on by themselves (NCCL), at the end of it over MPI.
///
/// Parts are of one length, so that collectives may cut: the last ones of a bucket read a little
/// beyond its end, into what is there of the next one, and what they get for it is passed over.
class CardExchange final : public Exchange {
 public:
  /// `state` is sharded with every rank as a node of its own. Collective.
  CardExchange(State& state, std::unique_ptr<nccl::Collectives> collectives);
  /// Collective, except while an exception unwinds.
  ~CardExchange() override;

  [[nodiscard]] const at::Tensor& weights() const override { return weights_; }
  [[nodiscard]] const at::Tensor& gradients() const override { return gradients_; }
  void begin() override;
  void ready(std::size_t index) override;
  void finish() override;
  [[nodiscard]] std::span<const float> own_gradient(std::size_t bucket) override;
  [[nodiscard]] at::Tensor own_sum(std::size_t bucket) const override;
  [[nodiscard]] double own_squared_norm() const override { return squared_norm_; }
  void update(const AdamW& adamw, std::int64_t number, double gradient_scale) override;
  void share_weights() override;
  [[nodiscard]] std::string name() const override { return collectives_->name(); }

 private:
  /// Elements of the longest part of a bucket.
  [[nodiscard]] std::size_t part_length(std::size_t bucket) const;
  [[nodiscard]] std::size_t buckets() const { return sharding_.own().size(); }
  [[nodiscard]] at::Tensor own_computed(std::size_t bucket) const;
  void start(std::size_t bucket);
  void cast(std::size_t bucket);

  State& state_;
  const Sharding& sharding_;
  std::unique_ptr<nccl::Collectives> collectives_;
  std::vector<std::size_t> places_;  // of each bucket's part in own_sums_ and own_computed_
  at::Tensor weights_;
  at::Tensor gradients_;
  at::Tensor own_sums_;      // float
  at::Tensor own_computed_;  // what all_gather sends
  std::vector<bool> is_ready_;
  std::vector<bool> is_cast_;  // by the update
  std::size_t started_ = 0;
  double squared_norm_ = 0;
  std::vector<float> read_;  // what own_gradient() gave last of a card
};

}  // namespace evd::train
