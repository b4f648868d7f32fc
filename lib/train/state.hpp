#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "core/id.hpp"
#include "mpi/communicator.hpp"
#include "nn/model_file.hpp"
#include "train/adamw.hpp"
#include "train/aligned_buffer.hpp"

namespace evd::train {

/// Everything that the next step depends on. Data order, noise and timesteps are functions of the
/// counters, so there is no random state.
struct State {
  explicit State(const nn::Layout& layout);

  AlignedBuffer weights;
  AlignedBuffer first_moment;
  AlignedBuffer second_moment;
  AlignedBuffer average;
  std::vector<float> null_text;

  std::int64_t step = 0;            ///< steps of the whole campaign so far
  std::int64_t updates = 0;         ///< of them, those that were applied
  std::int64_t round_step = 0;      ///< steps of this round so far
  std::int64_t skipped_in_row = 0;  ///< not-finite steps just before this one

  [[nodiscard]] Parameters parameters();
};

/// Weights as drawn or read, moments at zero, the average a copy.
[[nodiscard]] State fresh_state(const nn::Layout& layout, const nn::Weights& weights);

/// Publishes a state; `key` says what it may be resumed with. Equal states give equal bytes.
nn::WrittenFile write_state(const std::filesystem::path& path, const nn::Layout& layout,
                            const State& state, const Sha256& key);

struct StoredState {
  State state;
  Sha256 key;
  Sha256 sha256;  ///< of the file
};
/// DataError when the file is damaged or of another network.
[[nodiscard]] StoredState read_state(const std::filesystem::path& path, const nn::Layout& layout);

/// Rank 0's state to all ranks.
void broadcast(State& state, const mpi::Communicator& world);

/// InternalError when the ranks' weights are not the same bits: they must never drift apart.
void check_equal(const State& state, const mpi::Communicator& world);

}  // namespace evd::train
