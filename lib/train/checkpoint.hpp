#pragma once

#include <filesystem>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "core/log.hpp"
#include "shard/table.hpp"
#include "train/checkpoint_index.hpp"
#include "train/round_rows.hpp"
#include "train/state.hpp"

namespace evd::train {

/// Rank 0's part of what a life of this stage goes on from; the state itself is in place then.
struct Resumed {
  RoundRows rows;
  std::filesystem::path from;
};

/// The checkpoints of one round: `state/step-NNNNNNNNN/` under `directory`, each the pieces of the
/// state, the null text and the tables so far, and an index that names them all with their SHA-256
/// and is published last. The finished round's checkpoint stays, the next round goes on from it.
/// All calls are collective.
class Checkpoints {
 public:
  struct Setup {
    std::filesystem::path directory;
    Sha256 key;  ///< digest of everything that the round's result depends on
    shard::FileHeader header;
    int keep = 2;
    std::size_t snapshot_bytes = std::size_t{1} << 32;  ///< of one rank
    Environment environment;
    std::size_t piece_elements = Pieces::kPieceElements;
    std::size_t averages = 1;
  };
  Checkpoints(const Sharding& sharding, Setup setup, const Log& log);
  /// Waits for what is being written.
  ~Checkpoints();
  Checkpoints(const Checkpoints&) = delete;
  Checkpoints& operator=(const Checkpoints&) = delete;

  /// Takes a snapshot of the state, each rank the pieces that it writes, and writes it while
  /// training goes on. Where the snapshot does not fit into snapshot_bytes of any rank, it is taken
  /// and written piece by piece before this returns, and the pause is told. `rows` count on rank
  /// 0. Waits first for the checkpoint before, if that is still being written.
  void begin(const State& state, const RoundRows& rows);
  /// Looks whether every rank has written its pieces; then the checkpoint is published and all but
  /// the newest `keep` are removed. One that cannot be written is told and costs nothing else: the
  /// one before stays.
  void poll();
  /// begin() and wait. IoError when it could not be written.
  void save(const State& state, const RoundRows& rows);

  /// Fills the state from the newest checkpoint that is whole and has this key. Damaged ones and
  /// those of another key are told and set aside: where they were, they would count among the
  /// newest and push out the ones to come. IoError when one cannot be read: it may be whole.
  /// Removes what killed lives left.
  [[nodiscard]] std::optional<Resumed> newest(State& state);
  /// The same from the newest that has at most `updates` applied steps; those that have more are
  /// removed: training goes another way from there on. Waits first for what is being written.
  [[nodiscard]] std::optional<Resumed> roll_back(State& state, std::int64_t updates);
  /// Publishes the round's results: its checkpoint, unless that is there, its tables and
  /// model.safetensors (the averaged weights). All other checkpoints, also those set aside, are
  /// removed. On rank 0 the files, relative to the directory.
  [[nodiscard]] std::vector<shard::FileEntry> finish(const State& state, const RoundRows& rows);

  /// Seconds that training stood still for checkpoints.
  [[nodiscard]] double pause_s() const { return pause_s_; }

 private:
  using Written = std::vector<CheckpointFile>;
  struct Saving {
    std::filesystem::path folder;
    CheckpointIndex index;
    std::vector<float> null_text;
    RoundRows rows;
    std::future<Written> pieces;  // of this rank
  };

  [[nodiscard]] Written write_piece_by_piece(const State& state,
                                             const std::filesystem::path& folder) const;
  void settle();   // every rank's pieces, then the index
  void publish();  // when all pieces are written: the index, on rank 0
  void wait_for_index();
  void abandon(const std::string& problem);
  [[nodiscard]] std::vector<std::filesystem::path> folders() const;  // newest first
  /// Rank 0 alone. DataError when anything but the pieces' bytes is wrong.
  [[nodiscard]] RoundRows checked_rows(const std::filesystem::path& folder) const;
  void set_aside(const std::filesystem::path& folder) const;

  const Sharding& sharding_;
  Setup setup_;
  Pieces pieces_;
  const Log& log_;
  std::optional<Saving> saving_;
  std::future<void> indexing_;      // rank 0
  std::string failure_;             // of the last checkpoint that could not be written
  std::filesystem::path complete_;  // the newest that this process knows to be whole
  double pause_s_ = 0;
};

/// Fills the state from a checkpoint whose index has this content digest: C_(r-1). Collective.
/// DataError when it is damaged or of another network.
void restore_checkpoint(State& state, const std::filesystem::path& folder, const Sha256& content);

}  // namespace evd::train
