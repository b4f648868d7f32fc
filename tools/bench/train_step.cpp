// Time of a training step of the rehearsal's network, on made-up pictures: the same loop as
// evd-train, from the batch to the averaged weights. One line of JSON from rank 0.
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include "core/clock.hpp"
#include "core/random.hpp"
#include "nn/threads.hpp"
#include "train/trainer.hpp"

namespace {

using namespace evd;

constexpr std::uint32_t kSamples = 2048;

std::vector<data::Member> make_members() {
  constexpr std::array<const char*, 8> kWords = {"red",  "blue",  "circle", "square",
                                                 "left", "right", "above",  "small"};
  std::vector<data::Member> members(kSamples);
  Random random(1, Purpose::test);
  for (auto& member : members) {
    std::array<std::uint8_t, 16> id{};
    for (auto& byte : id) byte = static_cast<std::uint8_t>(random.below(256));
    member.id = SampleId(id);
    const auto words = 6 + random.below(7);
    for (std::uint64_t i = 0; i < words; ++i) {
      member.prompt += std::string(kWords[random.below(kWords.size())]) + " ";
    }
  }
  return members;
}

image::Rgb make_picture(int side, std::size_t index) {
  image::Rgb picture{side, side, std::vector<std::uint8_t>(std::size_t(side) * side * 3)};
  Random random(2, Purpose::test, index);
  for (auto& byte : picture.pixels) byte = static_cast<std::uint8_t>(random.below(256));
  return picture;
}

int measure(int steps, int batch_per_rank, const mpi::Communicator& world) {
  const nn::Layout layout{nn::NetworkOptions{}, nn::DiffusionOptions{}};
  const int side = layout.network().input_size;
  run::TrainOptions options;
  options.batch = batch_per_rank * world.size();
  options.steps_per_round = steps;
  const auto members = make_members();
  const data::Pictures pictures(members.size(), side,
                                [&](std::size_t i) { return make_picture(side, i); });
  // Decoding is not what is measured.
  std::vector<float> values(pictures.picture_values());
  for (std::size_t i = 0; i < members.size(); ++i) pictures.copy_to(i, values);

  auto state = train::fresh_state(layout, nn::start_weights(layout, 1));
  const mpi::Communicator node = world.node();
  const std::atomic<bool> stop = false;
  const Log log("train_step", world.rank());
  std::vector<double> seconds;
  train::Times sum;
  double last_s = monotonic_s();
  train::train_round({0, 1, options, members, pictures}, layout, state, world, node, stop, log,
                     [&](const train::Told& told) {
                       const double now_s = monotonic_s();
                       seconds.push_back(now_s - last_s);
                       last_s = now_s;
                       sum.data_s += told.times.data_s;
                       sum.forward_s += told.times.forward_s;
                       sum.backward_s += told.times.backward_s;
                       sum.reduce_s += told.times.reduce_s;
                       sum.optimizer_s += told.times.optimizer_s;
                       return true;
                     });
  if (world.rank() != 0) return 0;
  seconds.erase(seconds.begin(), seconds.begin() + steps / 5);  // warming up
  std::sort(seconds.begin(), seconds.end());
  const double per_step_ms = 1e3 / steps;
  std::printf(
      "{\"ms\": %.2f, \"data\": %.2f, \"forward\": %.2f, \"backward\": %.2f, "
      "\"reduce\": %.2f, \"optimizer\": %.2f}\n",
      1e3 * seconds[seconds.size() / 2], sum.data_s * per_step_ms, sum.forward_s * per_step_ms,
      sum.backward_s * per_step_ms, sum.reduce_s * per_step_ms, sum.optimizer_s * per_step_ms);
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  mpi::Environment mpi(argc, argv);
  const auto world = mpi::Communicator::world();
  const int steps = argc > 1 ? std::atoi(argv[1]) : 60;
  const int batch_per_rank = argc > 2 ? std::atoi(argv[2]) : 32;
  if (steps < 5 || batch_per_rank < 1) {
    std::fprintf(stderr, "usage: train_step [steps >= 5] [batch per rank]\n");
    return 64;
  }
  nn::use_threads(1);
  return measure(steps, batch_per_rank, world);
}
