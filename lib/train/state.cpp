#include "train/state.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd::train {
namespace {

constexpr std::string_view kKind = "evolvedirector training state 1";

std::int64_t number_of(const nn::Safetensors& file, std::string_view key) {
  const auto found = file.metadata().find(key);
  std::int64_t value = -1;
  if (found != file.metadata().end()) {
    const auto& text = found->second;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size()) value = -1;
  }
  if (value < 0) throw DataError(file.where() + ": metadata " + std::string(key) + " is missing");
  return value;
}

void append(std::vector<nn::NamedTensor>& all, std::vector<nn::NamedTensor> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

void fill(AlignedBuffer& buffer, const std::vector<float>& values) {
  std::ranges::copy(values, buffer.values().begin());
}

void broadcast_floats(std::span<float> values, const mpi::Communicator& world) {
  // MPI counts are 32 bits wide.
  constexpr std::size_t kPiece = std::size_t{1} << 28;
  auto bytes = std::as_writable_bytes(values);
  while (!bytes.empty()) {
    const auto piece = bytes.first(std::min(kPiece, bytes.size()));
    world.broadcast(piece, 0);
    bytes = bytes.subspan(piece.size());
  }
}

}  // namespace

State::State(const nn::Layout& layout)
    : weights(layout.size()),
      first_moment(layout.size()),
      second_moment(layout.size()),
      average(layout.size()) {}

Parameters State::parameters() {
  return {weights.values(), first_moment.values(), second_moment.values(), average.values()};
}

State fresh_state(const nn::Layout& layout, const nn::Weights& weights) {
  State state(layout);
  fill(state.weights, weights.flat);
  fill(state.average, weights.flat);
  state.null_text = weights.null_text;
  return state;
}

nn::WrittenFile write_state(const std::filesystem::path& path, const nn::Layout& layout,
                            const State& state, const Sha256& key) {
  auto tensors = nn::named_tensors(layout, state.weights.values(), "weights.");
  append(tensors, nn::named_tensors(layout, state.first_moment.values(), "first_moment."));
  append(tensors, nn::named_tensors(layout, state.second_moment.values(), "second_moment."));
  append(tensors, nn::named_tensors(layout, state.average.values(), "average."));
  const auto& n = layout.network();
  tensors.push_back(
      {std::string(nn::kNullTextName), {n.max_tokens, n.caption_width}, state.null_text});
  auto metadata = nn::metadata_of(layout);
  metadata["kind"] = kKind;
  metadata["step"] = std::to_string(state.step);
  metadata["updates"] = std::to_string(state.updates);
  metadata["round_step"] = std::to_string(state.round_step);
  metadata["skipped_in_row"] = std::to_string(state.skipped_in_row);
  metadata["resumes"] = key.hex();
  return nn::write_safetensors(path, std::move(tensors), std::move(metadata));
}

StoredState read_state(const std::filesystem::path& path, const nn::Layout& layout) {
  const auto file = nn::Safetensors::read(path);
  const auto kind = file.metadata().find("kind");
  const auto key = file.metadata().find("resumes");
  if (kind == file.metadata().end() || kind->second != kKind || key == file.metadata().end()) {
    throw DataError(file.where() + ": not a training state of this version");
  }
  nn::check_metadata(file, layout);
  State state(layout);
  fill(state.weights, nn::flat_tensors(file, layout, "weights."));
  fill(state.first_moment, nn::flat_tensors(file, layout, "first_moment."));
  fill(state.second_moment, nn::flat_tensors(file, layout, "second_moment."));
  fill(state.average, nn::flat_tensors(file, layout, "average."));
  state.null_text = nn::null_text_of(file, layout);
  state.step = number_of(file, "step");
  state.updates = number_of(file, "updates");
  state.round_step = number_of(file, "round_step");
  state.skipped_in_row = number_of(file, "skipped_in_row");
  return {std::move(state), Sha256::parse(key->second), file.digest()};
}

void broadcast(State& state, const mpi::Communicator& world) {
  std::array<std::int64_t, 4> counters = {state.step, state.updates, state.round_step,
                                          state.skipped_in_row};
  world.broadcast(std::as_writable_bytes(std::span(counters)), 0);
  state.step = counters[0];
  state.updates = counters[1];
  state.round_step = counters[2];
  state.skipped_in_row = counters[3];
  for (auto* buffer : {&state.weights, &state.first_moment, &state.second_moment, &state.average}) {
    broadcast_floats(buffer->values(), world);
  }
  broadcast_floats(state.null_text, world);
}

void check_equal(const State& state, const mpi::Communicator& world) {
  const auto hash = static_cast<std::int64_t>(xxh3_64(std::as_bytes(state.weights.values())) >> 1);
  if (world.all_reduce(hash, mpi::Reduce::min) != world.all_reduce(hash, mpi::Reduce::max)) {
    throw InternalError("the ranks' weights have drifted apart at step " +
                        std::to_string(state.step));
  }
}

}  // namespace evd::train
