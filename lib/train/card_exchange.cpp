#include "train/card_exchange.hpp"

#include <algorithm>
#include <exception>

#include <ATen/ops/from_blob.h>
#include <ATen/ops/linalg_vector_norm.h>
#include <ATen/ops/stack.h>
#include <ATen/ops/zeros.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "cuda/device.hpp"
#include "nn/device_tensors.hpp"
#include "train/card_update.hpp"

namespace evd::train {
namespace {

static_assert(CardParameters::kMostMore == int{run::TrainOptions::kMostMoreEmas});

std::int64_t signed_size(std::size_t size) { return static_cast<std::int64_t>(size); }

}  // namespace

CardExchange::CardExchange(State& state, std::unique_ptr<nccl::Collectives> collectives)
    : state_(state),
      sharding_(state.sharding()),
      collectives_(std::move(collectives)),
      is_ready_(buckets()),
      is_cast_(buckets()) {
  std::size_t own = 0;
  std::size_t beyond = 0;  // the farthest that any collective reaches
  const auto ranks = static_cast<std::size_t>(sharding_.grid().across().size());
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    places_.push_back(own);
    own += part_length(bucket);
    beyond = std::max(beyond, sharding_.cut().buckets[bucket].begin + ranks * part_length(bucket));
  }
  const auto whole = signed_size(std::max(beyond, sharding_.layout().size()));
  const auto place = nn::options_of(state.engine());
  weights_ = at::zeros({whole}, place);
  gradients_ = at::zeros({whole}, place.dtype(at::kFloat));
  own_sums_ = at::zeros({signed_size(own)}, place.dtype(at::kFloat));
  own_computed_ = at::zeros({signed_size(own)}, place);
  share_weights();
}

// Nobody takes its side of the last exchange away before all have done theirs.
CardExchange::~CardExchange() {
  if (std::uncaught_exceptions() > 0) return;
  try {
    sharding_.grid().world().barrier();
  } catch (const Error&) {  // the others have ended: there is nobody to wait for
  }
}

std::size_t CardExchange::part_length(std::size_t bucket) const {
  return sharding_.part(bucket, {0, 0}).size();  // the first is as long as any
}

at::Tensor CardExchange::own_sum(std::size_t bucket) const {
  return own_sums_.narrow(0, signed_size(places_[bucket]),
                          signed_size(sharding_.own()[bucket].size()));
}

at::Tensor CardExchange::own_computed(std::size_t bucket) const {
  return own_computed_.narrow(0, signed_size(places_[bucket]),
                              signed_size(sharding_.own()[bucket].size()));
}

void CardExchange::begin() {
  gradients_.zero_();
  std::fill(is_ready_.begin(), is_ready_.end(), false);
  started_ = 0;
}

void CardExchange::ready(std::size_t index) {
  is_ready_[index] = true;
  if (!collectives_->goes_on_by_itself()) return;
  // In bucket order, whatever became ready first: collectives must start alike on all ranks.
  while (started_ < buckets() && is_ready_[started_]) start(started_++);
}

void CardExchange::start(std::size_t bucket) {
  const double begun_s = monotonic_s();
  collectives_->reduce_scatter(
      gradients_.const_data_ptr<float>() + sharding_.cut().buckets[bucket].begin,
      own_sums_.mutable_data_ptr<float>() + places_[bucket], part_length(bucket));
  if (activity() != nullptr) activity()->reduced(bucket, begun_s, monotonic_s());
}

void CardExchange::finish() {
  if (std::find(is_ready_.begin(), is_ready_.end(), false) != is_ready_.end()) {
    throw InternalError("a gradient bucket never became ready");
  }
  for (; started_ < buckets(); ++started_) start(started_);
  collectives_->join();
  // What lies beyond a part must not count.
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    const std::size_t own = sharding_.own()[bucket].size();
    const std::size_t beyond = part_length(bucket) - own;
    if (beyond > 0) {
      own_sums_.narrow(0, signed_size(places_[bucket] + own), signed_size(beyond)).zero_();
    }
  }
  // A bucket at a time: what is widened to double is copied.
  std::vector<at::Tensor> norms;
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    norms.push_back(
        at::linalg_vector_norm(own_sum(bucket), 2, at::OptionalIntArrayRef{}, false, at::kDouble));
  }
  squared_norm_ = at::stack(norms).square().sum().item<double>();
}

std::span<const float> CardExchange::own_gradient(std::size_t bucket) {
  const at::Tensor own = own_sum(bucket);
  const auto count = static_cast<std::size_t>(own.numel());
  if (!state_.engine().on_card()) return {own.const_data_ptr<float>(), count};
  read_.resize(count);
  cuda::copy(read_.data(), own.const_data_ptr(), count * sizeof(float));
  return read_;
}

void CardExchange::update(const AdamW& adamw, std::int64_t number, double gradient_scale) {
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    const auto p = state_.own_parameters(bucket);
    const at::Tensor gradient = own_sum(bucket);
    if (!state_.engine().on_card()) {
      train::update(adamw, number, p, {gradient.const_data_ptr<float>(), p.weights.size()},
                    gradient_scale);
      cast(bucket);
    } else {
      const at::Tensor computed = own_computed(bucket);
      CardParameters parameters{p.weights.data(),
                                p.first_moment.data(),
                                p.second_moment.data(),
                                p.average.data(),
                                gradient.const_data_ptr<float>(),
                                computed.mutable_data_ptr(),
                                computed.scalar_type() == at::kBFloat16,
                                p.weights.size()};
      for (std::size_t i = 0; i < p.more_averages.size(); ++i) {
        parameters.more_averages[i] = p.more_averages[i].data();
        parameters.more_keep[i] = static_cast<float>(adamw.more_emas[i]);
        parameters.more_add[i] = static_cast<float>(1.0 - adamw.more_emas[i]);
        ++parameters.more;
      }
      update_on_card(factors_of(adamw, number, gradient_scale), parameters);
    }
    is_cast_[bucket] = true;
  }
}

void CardExchange::cast(std::size_t bucket) {
  const auto master = state_.own(Kind::master, bucket);
  if (master.empty()) return;  // its place may be beyond all memory
  own_computed(bucket).copy_(
      at::from_blob(master.data(), {signed_size(master.size())}, own_sums_.options()));
}

void CardExchange::share_weights() {
  const auto element = static_cast<std::size_t>(weights_.element_size());
  auto* all = static_cast<std::byte*>(weights_.mutable_data_ptr());
  const auto* own = static_cast<const std::byte*>(own_computed_.const_data_ptr());
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    if (!is_cast_[bucket]) cast(bucket);
    is_cast_[bucket] = false;
  }
  // In this order: the next bucket's own values take the place of what one reached beyond its end.
  for (std::size_t bucket = 0; bucket < buckets(); ++bucket) {
    collectives_->all_gather(own + places_[bucket] * element,
                             all + sharding_.cut().buckets[bucket].begin * element,
                             part_length(bucket) * element);
  }
  collectives_->join();
  // The host may touch the state again.
  if (state_.engine().on_card()) cuda::synchronize();
}

}  // namespace evd::train
