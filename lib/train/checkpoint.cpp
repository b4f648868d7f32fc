#include "train/checkpoint.hpp"

#include <algorithm>
#include <chrono>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "train/checkpoint_files.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;
constexpr const char* kAside = "set-aside-";

std::string agreed(const mpi::Communicator& world, const std::string& own) {
  const auto all = world.gather(as_bytes(own), 0);
  std::string first;
  for (const auto& text : all) {
    if (first.empty()) first.assign(reinterpret_cast<const char*>(text.data()), text.size());
  }
  return world.broadcast(std::move(first), 0);
}

std::string differences(const Environment& then, const Environment& now) {
  std::vector<std::string> told;
  for (const auto& [key, value] : now) {
    const auto found = then.find(key);
    const std::string before = found == then.end() ? "not told" : found->second;
    if (before != value) told.push_back(key + " " + before + ", now " + value);
  }
  return join(told, "; ");
}

}  // namespace

Checkpoints::Checkpoints(const Sharding& sharding, Setup setup, const Log& log)
    : sharding_(sharding),
      setup_(std::move(setup)),
      pieces_(sharding, setup_.piece_elements, setup_.averages),
      log_(log) {}

Checkpoints::~Checkpoints() = default;  // a future of std::async waits for its task

// ---- writing

void Checkpoints::begin(const State& state, const RoundRows& rows) {
  settle();
  wait_for_index();
  const double begun_s = monotonic_s();
  const auto& world = sharding_.grid().world();
  failure_.clear();
  saving_.emplace();
  saving_->folder = setup_.directory / "state" /
                    format("step-%09lld", static_cast<long long>(state.counters.round_step));
  saving_->index.counters = state.counters;
  saving_->index.guard = state.guard;
  saving_->index.key = setup_.key;
  saving_->index.piece_elements = setup_.piece_elements;
  saving_->index.more_decays = state.more_decays();
  saving_->index.environment = setup_.environment;
  saving_->null_text = state.null_text;
  saving_->rows = rows;
  std::string problem;
  if (world.rank() == 0) {
    try {
      fs::make_directory(saving_->folder);
    } catch (const IoError& error) {
      problem = error.what();
    }
  }
  problem = agreed(world, problem);
  if (!problem.empty()) return abandon(problem);

  const auto largest =
      world.all_reduce(static_cast<std::int64_t>(pieces_.own_bytes()), mpi::Reduce::max);
  if (static_cast<std::size_t>(largest) > setup_.snapshot_bytes) {
    std::promise<Written> written;
    try {
      written.set_value(write_piece_by_piece(state, saving_->folder));
    } catch (const IoError&) {
      written.set_exception(std::current_exception());
    }
    saving_->pieces = written.get_future();
    log_.info(
        format("a snapshot of %.1f GB does not fit into train.snapshot_mib: training stood "
               "still for %.1f s while the checkpoint was written",
               static_cast<double>(largest) / 1e9, monotonic_s() - begun_s));
  } else {
    std::vector<Piece> own;
    for (std::size_t round = 0; round < pieces_.rounds(); ++round) {
      if (auto piece = pieces_.collect(state, round)) own.push_back(std::move(*piece));
    }
    saving_->pieces =
        std::async(std::launch::async, [own = std::move(own), folder = saving_->folder]() mutable {
          Written written;
          for (auto& piece : own) {
            written.push_back(write_piece(piece, folder));
            piece.values = {};
          }
          return written;
        });
  }
  pause_s_ += monotonic_s() - begun_s;
}

Checkpoints::Written Checkpoints::write_piece_by_piece(const State& state,
                                                       const stdfs::path& folder) const {
  Written written;
  std::exception_ptr error;  // the other ranks count on this one's part in collect()
  for (std::size_t round = 0; round < pieces_.rounds(); ++round) {
    const auto piece = pieces_.collect(state, round);
    try {
      if (piece && !error) written.push_back(write_piece(*piece, folder));
    } catch (const IoError&) {
      error = std::current_exception();
    }
  }
  if (error) std::rethrow_exception(error);
  return written;
}

void Checkpoints::poll() {
  if (!saving_) return;
  const bool is_done =
      saving_->pieces.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  const std::int64_t done = is_done ? 1 : 0;
  if (sharding_.grid().world().all_reduce(done, mpi::Reduce::min) == 1) publish();
}

void Checkpoints::settle() {
  if (saving_) publish();  // get() waits
}

void Checkpoints::publish() {
  const double begun_s = monotonic_s();
  const auto& world = sharding_.grid().world();
  std::string problem;
  Written own;
  try {
    own = saving_->pieces.get();
  } catch (const IoError& error) {
    problem = error.what();
  }
  problem = agreed(world, problem);
  if (!problem.empty()) return abandon(problem);
  const std::string text = to_text(own);
  for (const auto& part : world.gather(as_bytes(text), 0)) {
    for (auto& file : files_of(part)) saving_->index.files.push_back(std::move(file));
  }
  if (world.rank() == 0) {
    std::ranges::sort(saving_->index.files, {}, &CheckpointFile::name);
    indexing_ = std::async(std::launch::async, [this, saving = std::move(*saving_)]() mutable {
      auto& index = saving.index;
      const auto& layout = sharding_.layout();
      index.files.push_back(write_null_text(saving.folder, layout, saving.null_text));
      for (const auto& table : write_rows(saving.folder, setup_.header, saving.rows)) {
        index.tables[table.name] = table.content;
      }
      fs::publish(saving.folder / CheckpointIndex::kName, to_json(index, pieces_, layout));
      const auto all = folders();
      for (auto i = static_cast<std::size_t>(setup_.keep); i < all.size(); ++i) {
        // The index goes first: what it named is then no longer part of any checkpoint.
        stdfs::remove(all[i] / CheckpointIndex::kName);
        stdfs::remove_all(all[i]);
      }
    });
  }
  saving_.reset();
  pause_s_ += monotonic_s() - begun_s;
}

void Checkpoints::abandon(const std::string& problem) {
  const auto folder = saving_->folder;
  saving_.reset();
  failure_ = problem;
  if (sharding_.grid().world().rank() != 0) return;
  log_.warning("the checkpoint of step " +
               std::to_string(std::stoll(folder.filename().string().substr(5))) +
               " could not be written (" + problem +
               "); training goes on, and the checkpoint before it stays");
  std::error_code ignored;
  stdfs::remove_all(folder, ignored);  // its room may be what the next one needs
}

void Checkpoints::wait_for_index() {
  std::string problem;
  if (indexing_.valid()) {
    try {
      indexing_.get();
    } catch (const IoError& error) {
      problem = error.what();
      log_.warning("a checkpoint could not be published (" + problem +
                   "); training goes on, and the checkpoint before it stays");
    } catch (const stdfs::filesystem_error& error) {
      log_.warning("an old checkpoint could not be removed (" + std::string(error.what()) + ")");
    }
  }
  problem = agreed(sharding_.grid().world(), problem);
  if (!problem.empty()) failure_ = problem;
}

void Checkpoints::save(const State& state, const RoundRows& rows) {
  begin(state, rows);
  settle();
  wait_for_index();
  if (!failure_.empty()) throw IoError("checkpoint: " + failure_);
}

// ---- reading

std::vector<stdfs::path> Checkpoints::folders() const {
  std::vector<stdfs::path> found;
  const auto parent = setup_.directory / "state";
  if (is_there(parent)) {
    for (const auto& entry : stdfs::directory_iterator(parent)) {
      if (is_there(entry.path() / CheckpointIndex::kName) &&
          !entry.path().filename().string().starts_with(kAside)) {
        found.push_back(entry.path());
      }
    }
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

RoundRows Checkpoints::checked_rows(const stdfs::path& folder) const {
  const auto index = read_index(folder / CheckpointIndex::kName);
  if (index.key != setup_.key) {
    throw DataError(folder.string() +
                    ": it belongs to other settings, another set or other start weights");
  }
  auto rows = read_rows(folder, index);
  if (static_cast<std::int64_t>(rows.steps.size()) != index.counters.round_step) {
    throw DataError(folder.string() + ": its steps are not those of this checkpoint");
  }
  return rows;
}

void Checkpoints::set_aside(const stdfs::path& folder) const {
  stdfs::path place;
  for (int i = 1; place.empty() || is_there(place); ++i) {
    place = folder.parent_path() / format("%s%03d", kAside, i);
  }
  fs::rename(folder, place);
}

std::optional<Resumed> Checkpoints::newest(State& state) {
  const auto& world = sharding_.grid().world();
  std::vector<stdfs::path> candidates;
  if (world.rank() == 0) {
    candidates = folders();
    const auto parent = setup_.directory / "state";
    if (is_there(parent)) {
      // Without an index it never was a checkpoint.
      for (const auto& entry : stdfs::directory_iterator(parent)) {
        if (!is_there(entry.path() / CheckpointIndex::kName)) stdfs::remove_all(entry.path());
      }
    }
    for (const auto& folder : candidates) static_cast<void>(fs::remove_leftovers(folder));
  }
  for (std::size_t i = 0;; ++i) {
    const stdfs::path folder =
        world.broadcast(i < candidates.size() ? candidates[i].string() : "", 0);
    if (folder.empty()) return std::nullopt;
    Resumed resumed{{}, folder};
    std::string problem;
    if (world.rank() == 0) {
      try {
        resumed.rows = checked_rows(folder);
      } catch (const DataError& error) {
        problem = error.what();
      }
    }
    problem = agreed(world, problem);
    if (problem.empty()) {
      const auto index = read_index(folder / CheckpointIndex::kName);
      problem = agreed(world, damage_in(folder, index, world.rank(), world.size()));
      if (problem.empty()) {
        fill(state, folder, index);
        complete_ = folder;
        if (world.rank() != 0) return resumed;
        if (const auto told = differences(index.environment, setup_.environment); !told.empty()) {
          log_.info(
              "goes on under other conditions, so that losses are equal to rounding, not to "
              "the bit: " +
              told);
        }
        return resumed;
      }
    }
    if (world.rank() != 0) continue;
    log_.warning("checkpoint " + folder.filename().string() +
                 " is passed over and set aside: " + problem);
    set_aside(folder);
  }
}

std::optional<Resumed> Checkpoints::roll_back(State& state, std::int64_t updates) {
  settle();
  wait_for_index();
  if (sharding_.grid().world().rank() == 0) {
    for (const auto& folder : folders()) {
      const auto index_file = folder / CheckpointIndex::kName;
      try {
        if (read_index(index_file).counters.updates <= updates) continue;
      } catch (const DataError&) {
        continue;  // newest() tells of it
      }
      stdfs::remove(index_file);
      stdfs::remove_all(folder);
    }
  }
  complete_.clear();
  return newest(state);
}

void restore_checkpoint(State& state, const stdfs::path& folder, const Sha256& content) {
  const auto& world = state.sharding().grid().world();
  const auto index = read_index(folder / CheckpointIndex::kName);
  const auto own = index.content() == content
                       ? damage_in(folder, index, world.rank(), world.size())
                       : (folder / CheckpointIndex::kName).string() + ": damaged";
  const std::string problem = agreed(world, own);
  if (!problem.empty()) throw DataError(problem + " (its digest is not the manifest's)");
  fill(state, folder, index);
}

// ---- the results

std::vector<shard::FileEntry> Checkpoints::finish(const State& state, const RoundRows& rows) {
  const auto folder = setup_.directory / "state" /
                      format("step-%09lld", static_cast<long long>(state.counters.round_step));
  settle();
  wait_for_index();
  const auto& world = sharding_.grid().world();
  // A validation of the last step may have come since.
  const bool is_behind = world.rank() == 0 && complete_ == folder &&
                         !has_rows(read_index(folder / CheckpointIndex::kName), rows);
  const bool is_any_behind =
      world.all_reduce(std::int64_t{is_behind ? 1 : 0}, mpi::Reduce::max) > 0;
  if (complete_ != folder || is_any_behind) save(state, rows);
  if (world.rank() != 0) return {};

  std::vector<shard::FileEntry> files;
  const std::string within = "state/" + folder.filename().string() + "/";
  const auto index = read_index(folder / CheckpointIndex::kName);
  const auto index_file = folder / CheckpointIndex::kName;
  files.push_back({within + CheckpointIndex::kName, "", 0,
                   static_cast<std::int64_t>(stdfs::file_size(index_file)),
                   fs::sha256_file(index_file), index.content()});
  for (const auto& file : index.files) {
    files.push_back({within + file.name, "", 0, file.bytes, file.sha256, file.sha256});
  }
  for (auto& file : write_rows(setup_.directory, setup_.header, rows)) {
    files.push_back(std::move(file));
  }
  const Pieces pieces(sharding_, index.piece_elements);
  for (const Kind kind : state.kinds().subspan(static_cast<std::size_t>(Kind::ema0))) {
    const std::string name = kind == Kind::ema0
                                 ? "model.safetensors"
                                 : "model-" + std::string(name_of(kind)) + ".safetensors";
    const auto model = nn::write_model(setup_.directory / name, sharding_.layout(),
                                       {pieces.read_flat(kind, folder), state.null_text});
    files.push_back({name, "", 0, model.bytes, model.sha256, model.sha256});
  }
  for (const auto& entry : stdfs::directory_iterator(setup_.directory / "state")) {
    std::error_code ignored;
    if (entry.path() != folder) stdfs::remove_all(entry.path(), ignored);
  }
  return files;
}

}  // namespace evd::train
