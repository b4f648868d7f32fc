#include "train/block_norms.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/TensorOperators.h>
#include <ATen/ops/from_blob.h>
#include <ATen/ops/stack.h>

namespace evd::train {

std::string part_of(std::string_view parameter) {
  auto dot = parameter.find('.');
  if (parameter.starts_with("blocks.")) dot = parameter.find('.', dot + 1);
  return std::string(parameter.substr(0, dot));
}

namespace {

constexpr std::size_t kSamples = 4;  // whose attention is looked at, of a rank

/// Not a number of what is no block.
float logit_of(const std::string& part, std::span<const double> logits, std::size_t kind) {
  constexpr std::string_view kBlock = "blocks.";
  if (!part.starts_with(kBlock)) return std::numeric_limits<float>::quiet_NaN();
  const auto block = static_cast<std::size_t>(std::stoi(part.substr(kBlock.size())));
  return static_cast<float>(logits[2 * block + kind]);
}

}  // namespace

std::vector<double> largest_logits(const Backprop& backprop, const Part& part,
                                   const Sharding& sharding) {
  std::vector<double> largest(2 * static_cast<std::size_t>(sharding.layout().network().depth));
  if (part.size() > 0) {
    largest = backprop.attention_logits(part.slice(0, std::min(kSamples, part.size())));
  }
  sharding.grid().world().all_reduce(std::span(largest), mpi::Reduce::max);
  return largest;
}

BlockNorms::BlockNorms(const Sharding& sharding) : sharding_(sharding) {
  const auto parameters = sharding.layout().parameters();
  for (const auto& parameter : parameters) {
    const std::string name = part_of(parameter.name);
    if (std::ranges::find(parts_, name) == parts_.end()) parts_.push_back(name);
  }
  for (std::size_t bucket = 0; bucket < sharding.own().size(); ++bucket) {
    const auto& own = sharding.own()[bucket];
    for (const auto& parameter : parameters) {
      const auto begin = std::max(own.begin, parameter.offset);
      const auto end = std::min(own.end, parameter.offset + parameter.count);
      if (begin >= end) continue;
      const auto part = std::ranges::find(parts_, part_of(parameter.name)) - parts_.begin();
      runs_.push_back({bucket, begin - own.begin, end - own.begin, static_cast<std::size_t>(part)});
    }
  }
}

std::vector<shard::Block> BlockNorms::measure(const State& state, Exchange& exchange,
                                              const AdamW& adamw, std::int64_t updates,
                                              std::int64_t step, int round,
                                              std::span<const double> logits) const {
  const double n = static_cast<double>(updates);
  const double rate = adamw.learning_rate / (1 - std::pow(adamw.beta1, n));
  const double unbias = 1 / std::sqrt(1 - std::pow(adamw.beta2, n));
  const double keep = 1 - adamw.learning_rate * adamw.weight_decay;
  // Gradient, weights, step of each part.
  std::vector<double> squares(3 * parts_.size());
  if (state.engine().on_card()) {
    add_on_card(state, exchange, {rate, unbias, keep, adamw.epsilon}, squares);
    return rows_of(squares, step, round, logits);
  }
  for (const auto& run : runs_) {
    const auto gradient = exchange.own_gradient(run.bucket);
    const auto weights = state.own(Kind::master, run.bucket);
    const auto first = state.own(Kind::exp_avg, run.bucket);
    const auto second = state.own(Kind::exp_avg_sq, run.bucket);
    double* sums = squares.data() + 3 * run.part;
    for (std::size_t i = run.begin; i < run.end; ++i) {
      const double w = weights[i];
      const double moved =
          rate * double{first[i]} / (std::sqrt(double{second[i]}) * unbias + adamw.epsilon);
      const double change = (w * (keep - 1) - moved) / keep;
      sums[0] += double{gradient[i]} * double{gradient[i]};
      sums[1] += w * w;
      sums[2] += change * change;
    }
  }
  return rows_of(squares, step, round, logits);
}

void BlockNorms::add_on_card(const State& state, const Exchange& exchange, const Remade& remade,
                             std::span<double> squares) const {
  std::vector<at::Tensor> sums;  // three of each run
  for (const auto& run : runs_) {
    const at::Tensor gradients = exchange.own_sum(run.bucket);
    const auto cut = [&](const at::Tensor& all) {
      return all.narrow(0, static_cast<std::int64_t>(run.begin),
                        static_cast<std::int64_t>(run.end - run.begin));
    };
    const auto own = [&](Kind kind) {
      const auto values = state.own(kind, run.bucket);
      return cut(at::from_blob(const_cast<float*>(values.data()),  // only read
                               {static_cast<std::int64_t>(values.size())}, gradients.options()));
    };
    const at::Tensor weights = own(Kind::master);
    const at::Tensor moved = own(Kind::exp_avg) * remade.rate /
                             (own(Kind::exp_avg_sq).sqrt() * remade.unbias + remade.epsilon);
    const at::Tensor change = (weights * (remade.keep - 1) - moved) / remade.keep;
    for (const auto& values : {cut(gradients), weights, change}) {
      sums.push_back(values.square().sum(at::kDouble));
    }
  }
  if (sums.empty()) return;
  const at::Tensor found = at::stack(sums).cpu();
  const double* value = found.const_data_ptr<double>();
  for (const auto& run : runs_) {
    for (std::size_t i = 0; i < 3; ++i) squares[3 * run.part + i] += *value++;
  }
}

std::vector<shard::Block> BlockNorms::rows_of(std::vector<double>& squares, std::int64_t step,
                                              int round, std::span<const double> logits) const {
  sharding_.grid().world().all_reduce(std::span(squares), mpi::Reduce::sum);
  std::vector<shard::Block> rows;
  for (std::size_t i = 0; i < parts_.size(); ++i) {
    const double* sums = squares.data() + 3 * i;
    const double weights = std::sqrt(sums[1]);
    rows.push_back({step,
                    {parts_[i]},
                    round,
                    static_cast<float>(std::sqrt(sums[0])),
                    static_cast<float>(weights),
                    static_cast<float>(weights > 0 ? std::sqrt(sums[2]) / weights : 0),
                    logit_of(parts_[i], logits, 0),
                    logit_of(parts_[i], logits, 1)});
  }
  return rows;
}

}  // namespace evd::train
