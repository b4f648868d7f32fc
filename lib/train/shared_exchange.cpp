#include "train/shared_exchange.hpp"

#include <algorithm>
#include <atomic>
#include <thread>

#include <ATen/ops/from_blob.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "mpi/shared_window.hpp"
#include "train/adamw.hpp"
#include "train/aligned_buffer.hpp"

namespace evd::train {
namespace {

constexpr std::size_t kLine = 64;     // bytes of a cache line: counters of their own
constexpr double kPatience_s = 1800;  // a rank that computes this long for one step hangs
constexpr std::size_t kBlock = 4096;  // elements: stays in the first cache while it is summed

/// A count in shared memory that one rank writes and the others watch.
class Counter {
 public:
  explicit Counter(std::byte* place) : value_(*reinterpret_cast<std::uint64_t*>(place)) {}
  void set(std::uint64_t value) { value_.store(value, std::memory_order_release); }
  [[nodiscard]] std::uint64_t get() const { return value_.load(std::memory_order_acquire); }

 private:
  std::atomic_ref<std::uint64_t> value_;
};

/// What a rank tells its neighbours, each in a line of its own at the head of its memory.
enum class Told : std::uint8_t { filled, summed, updated };
constexpr std::size_t kHead = 3 * kLine;

}  // namespace

struct SharedExchange::State {
  explicit State(train::State& trained_)
      : trained(trained_),
        sharding(trained.sharding()),
        local(sharding.grid().local()),
        across(sharding.grid().across()),
        buckets(sharding.cut().buckets.size()),
        weights(trained.weights()),
        window(local, kHead + sharding.layout().size() * sizeof(float)),
        weights_tensor(tensor_of(weights)),
        gradients_tensor(tensor_of(gradients())),
        received(across.size() > 1 ? sharding.own_size() : 0),
        is_ready(buckets),
        squares(buckets) {
    for (std::size_t bucket = 0, at = 0; bucket < buckets; ++bucket) {
      places.push_back(at);
      at += sharding.own()[bucket].size();
    }
  }

  [[nodiscard]] static at::Tensor tensor_of(std::span<float> values) {
    return at::from_blob(values.data(), {static_cast<std::int64_t>(values.size())}, at::kFloat);
  }
  [[nodiscard]] std::byte* memory(int rank) const { return window.part(rank).data(); }
  [[nodiscard]] Counter counter(Told what, int rank) const {
    return Counter(memory(rank) + static_cast<std::size_t>(what) * kLine);
  }
  [[nodiscard]] std::span<float> gradients(int rank) const {
    return {reinterpret_cast<float*>(memory(rank) + kHead), sharding.layout().size()};
  }
  [[nodiscard]] std::span<float> gradients() const { return gradients(local.rank()); }
  /// Counters only grow, so that no step needs a barrier to reset them.
  [[nodiscard]] std::uint64_t count_of(std::size_t done) const {
    return step * (buckets + 1) + done;
  }
  void tell(Told what, std::size_t done) { counter(what, local.rank()).set(count_of(done)); }

  [[nodiscard]] bool all_filled(std::size_t bucket) const;
  void sum_portion(std::size_t bucket);
  [[nodiscard]] double sum_block(Range block);
  void send_portion(std::size_t bucket);
  [[nodiscard]] std::span<float> own_gradient(std::size_t bucket);
  [[nodiscard]] std::vector<int> counts(std::size_t bucket) const;
  void wait_for(Told what, std::size_t done) const;

  train::State& trained;
  const Sharding& sharding;
  const mpi::Communicator& local;
  const mpi::Communicator& across;
  std::size_t buckets;
  std::span<float> weights;
  mpi::SharedWindow window;
  at::Tensor weights_tensor;
  at::Tensor gradients_tensor;
  AlignedBuffer received;           // sums of the own parts, where there are several nodes
  std::vector<std::size_t> places;  // of each bucket's part in it
  std::vector<bool> is_ready;
  std::vector<double> squares;  // of each bucket's own part
  std::vector<mpi::Request> requests;
  const Activity* activity = nullptr;
  std::uint64_t step = 0;
  std::size_t published = 0;
  std::size_t summed = 0;
};

bool SharedExchange::State::all_filled(std::size_t bucket) const {
  for (int rank = 0; rank < local.size(); ++rank) {
    if (counter(Told::filled, rank).get() < count_of(bucket + 1)) return false;
  }
  return true;
}

/// Only this rank reads this portion of the neighbours' buffers, so the sum may lie in its own.
double SharedExchange::State::sum_block(Range block) {
  float* __restrict out = gradients().data();
  if (local.size() > 1) {
    std::array<float, kBlock> sum;
    std::copy_n(gradients(0).data() + block.begin, block.size(), sum.data());
    for (int rank = 1; rank < local.size(); ++rank) {
      const float* __restrict other = gradients(rank).data() + block.begin;
      for (std::size_t i = 0; i < block.size(); ++i) sum[i] += other[i];
    }
    std::copy_n(sum.data(), block.size(), out + block.begin);
  }
  return sum_of_squares({out + block.begin, block.size()});
}

void SharedExchange::State::sum_portion(std::size_t bucket) {
  const double begun_s = monotonic_s();
  const Range portion = sharding.portion(bucket, local.rank());
  double sum = 0;
  for (std::size_t begin = portion.begin; begin < portion.end; begin += kBlock) {
    sum += sum_block({begin, std::min(begin + kBlock, portion.end)});
  }
  squares[bucket] = sum;
  if (across.size() > 1) send_portion(bucket);
  if (activity != nullptr) activity->reduced(bucket, begun_s, monotonic_s());
}

std::vector<int> SharedExchange::State::counts(std::size_t bucket) const {
  std::vector<int> counts;
  for (int node = 0; node < across.size(); ++node) {
    counts.push_back(static_cast<int>(sharding.part(bucket, {local.rank(), node}).size()));
  }
  return counts;
}

void SharedExchange::State::send_portion(std::size_t bucket) {
  const Range portion = sharding.portion(bucket, local.rank());
  requests.push_back(across.start_reduce_scatter_sum(
      gradients().subspan(portion.begin, portion.size()), counts(bucket),
      received.values().subspan(places[bucket], sharding.own()[bucket].size())));
}

void SharedExchange::State::wait_for(Told what, std::size_t done) const {
  const double begun_s = monotonic_s();
  for (int rank = 0; rank < local.size(); ++rank) {
    while (counter(what, rank).get() < count_of(done)) {
      std::this_thread::yield();
      if (monotonic_s() - begun_s > kPatience_s) {
        throw InternalError(
            format("exchange: waited %.0f s for rank %d of this node in step %llu "
                   "of this process",
                   kPatience_s, rank, static_cast<unsigned long long>(step)));
      }
    }
  }
}

SharedExchange::SharedExchange(train::State& state) : state_(std::make_unique<State>(state)) {}

SharedExchange::~SharedExchange() = default;

const at::Tensor& SharedExchange::weights() const { return state_->weights_tensor; }
const at::Tensor& SharedExchange::gradients() const { return state_->gradients_tensor; }

void SharedExchange::begin() {
  State& s = *state_;
  s.wait_for(Told::summed, s.step == 0 ? 0 : s.buckets);
  std::ranges::fill(s.gradients(), 0.0F);
  s.activity = activity();
  std::fill(s.is_ready.begin(), s.is_ready.end(), false);
  s.requests.clear();
  s.published = s.summed = 0;
  ++s.step;
}

void SharedExchange::ready(std::size_t index) {
  State& s = *state_;
  s.is_ready[index] = true;
  // In bucket order, whatever became ready first: collectives must start alike on all ranks.
  while (s.published < s.buckets && s.is_ready[s.published]) ++s.published;
  s.tell(Told::filled, s.published);
  while (s.summed < s.published && s.all_filled(s.summed)) s.sum_portion(s.summed++);
  s.tell(Told::summed, s.summed);
  for (auto& request : s.requests) static_cast<void>(request.test());
}

void SharedExchange::finish() {
  State& s = *state_;
  if (s.published != s.buckets) throw InternalError("a gradient bucket never became ready");
  for (; s.summed < s.buckets; ++s.summed) {
    s.wait_for(Told::filled, s.summed + 1);
    s.sum_portion(s.summed);
  }
  s.tell(Told::summed, s.summed);
  // Every rank of the node has left backward; only then may anyone write to the shared weights.
  s.wait_for(Told::filled, s.buckets);
  for (auto& request : s.requests) request.wait();
  if (s.across.size() == 1) return;
  for (std::size_t bucket = 0; bucket < s.buckets; ++bucket) {
    s.squares[bucket] = sum_of_squares(own_gradient(bucket));
  }
}

std::span<float> SharedExchange::State::own_gradient(std::size_t bucket) {
  const Range part = sharding.own()[bucket];
  if (across.size() > 1) return received.values().subspan(places[bucket], part.size());
  return gradients().subspan(part.begin, part.size());
}

std::span<const float> SharedExchange::own_gradient(std::size_t bucket) {
  return state_->own_gradient(bucket);
}

at::Tensor SharedExchange::own_sum(std::size_t bucket) const {
  return State::tensor_of(state_->own_gradient(bucket));
}

double SharedExchange::own_squared_norm() const {
  double sum = 0;
  for (const double square : state_->squares) sum += square;
  return sum;
}

void SharedExchange::update(const AdamW& adamw, std::int64_t number, double gradient_scale) {
  State& s = *state_;
  for (std::size_t bucket = 0; bucket < s.buckets; ++bucket) {
    train::update(adamw, number, s.trained.own_parameters(bucket), s.own_gradient(bucket),
                  gradient_scale);
  }
}

void SharedExchange::share_weights() {
  State& s = *state_;
  if (s.across.size() > 1) {
    s.requests.clear();
    for (std::size_t bucket = 0; bucket < s.buckets; ++bucket) {
      const Range portion = s.sharding.portion(bucket, s.local.rank());
      s.requests.push_back(s.across.start_all_gather(
          s.weights.subspan(portion.begin, portion.size()), s.counts(bucket)));
    }
    for (auto& request : s.requests) request.wait();
  }
  s.tell(Told::updated, s.buckets);
  s.wait_for(Told::updated, s.buckets);
}

}  // namespace evd::train
