#include "garbage.hpp"

#include <algorithm>
#include <set>

#include <sys/stat.h>

#include "core/error.hpp"
#include "fs/publish.hpp"
#include "retired_results.hpp"
#include "spool.hpp"

namespace evd::hands {
namespace {

namespace stdfs = std::filesystem;

std::int64_t bytes_below(const stdfs::path& path) {
  std::error_code error;
  if (!stdfs::is_directory(stdfs::symlink_status(path, error)))
    return stdfs::is_regular_file(stdfs::symlink_status(path, error))
               ? static_cast<std::int64_t>(stdfs::file_size(path, error))
               : 0;
  std::int64_t bytes = 0;
  for (stdfs::recursive_directory_iterator at(path, error), end; !error && at != end;
       at.increment(error))
    if (at->is_regular_file(error) && !at->is_symlink(error))
      bytes += static_cast<std::int64_t>(at->file_size(error));
  if (error) throw IoError("look into " + path.string() + ": " + error.message());
  return bytes;
}

class Finder {
 public:
  Finder(const run::Campaign& campaign, const run::LeaseRecord& self,
         const run::LeaseProbes& probes, Problems& problems)
      : campaign_(campaign),
        self_(self),
        probes_(probes),
        problems_(problems),
        current_(campaign) {}

  Garbage find() {
    set_aside();
    half_removed();
    checkpoints();
    left_over_leases();
    temporary_files();
    spools();
    return std::move(found_);
  }

 private:
  [[nodiscard]] Piece piece(const stdfs::path& path, std::string why) const {
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) throw_errno("look at", path.string());
    return {path, path.lexically_relative(campaign_.root()).string(), std::move(why),
            bytes_below(path), info.st_ino};
  }
  void goes(const stdfs::path& path, std::string why) {
    found_.goes.push_back(piece(path, std::move(why)));
  }

  void set_aside() {
    const auto results = retired_results(campaign_);
    RetiredJudgement judgement(current_, results);
    for (const auto& result : results) {
      std::optional<std::string> why;
      try {
        why = judgement.why_kept(result);
      } catch (const Error& error) {
        problems_.note(error.what());
        why = "it cannot be read, so what it holds is not known";
      }
      if (why)
        found_.stays.push_back(piece(result.directory, *why));
      else
        goes(result.directory, "set aside, and nothing points at it");
    }
  }

  // Every directory that results stand in.
  [[nodiscard]] std::set<stdfs::path> parents() const {
    std::set<stdfs::path> all;
    for (const auto& ref : all_stages(campaign_))
      all.insert(campaign_.directory(ref).parent_path());
    return all;
  }

  void half_removed() {
    for (const auto& parent : parents()) {
      std::error_code none;
      for (const auto& entry : stdfs::directory_iterator(parent, none)) {
        const std::string name = entry.path().filename().string();
        if (name.starts_with('.') && name.ends_with(kRemoved))
          goes(entry.path(), "left by an evd gc that did not finish");
      }
    }
  }

  void checkpoints() {
    for (int round = 0; round < campaign_.rounds_begun(); ++round) {
      const run::StageRef train{run::Stage::train, round};
      const auto directory = campaign_.directory(train);
      const auto* manifest = current_.find(train);
      std::error_code none;
      for (const auto& entry : stdfs::directory_iterator(directory / "state", none)) {
        const std::string name = entry.path().filename().string();
        const auto is_in = [&](const shard::FileEntry& file) {
          return file.name.starts_with("state/" + name + "/");
        };
        if (manifest != nullptr && std::ranges::none_of(manifest->files, is_in))
          goes(entry.path(), "an old checkpoint of a round that is done");
        else if (name.starts_with("set-aside-"))
          goes(entry.path(), "a checkpoint that could not be used");
      }
    }
  }

  // Claims and drafts of leases whose makers are gone, and the progress of those who died. The
  // leases themselves stay: they count the lives of a stage.
  void left_over_leases() {
    std::error_code none;
    for (const auto& entry : stdfs::directory_iterator(campaign_.root() / "leases", none)) {
      const std::string name = entry.path().filename().string();
      const bool is_draft =
          name.starts_with('.') && (name.ends_with(".tmp") || name.ends_with(".taken"));
      if (name.ends_with(".progress.json") || name.ends_with(".progress.json.tmp"))
        goes(entry.path(), "progress of a job that is gone");
      else if (is_draft && is_gone(entry.path()))
        goes(entry.path(), "left by a job that is gone");
    }
  }
  [[nodiscard]] bool is_gone(const stdfs::path& draft) const {
    const auto maker = run::read_lease(draft);
    return maker && run::liveness(*maker, self_, probes_) == run::Liveness::gone;
  }

  void temporary_files() {
    std::set<stdfs::path> going;
    for (const auto& piece : found_.goes) going.insert(piece.path);
    const auto look_into = [&](const stdfs::path& directory) {
      for (const auto& path : fs::leftovers(directory))
        goes(path, "half a file of a program that is gone");
    };
    look_into(campaign_.root());
    const auto options = stdfs::directory_options::skip_permission_denied;
    std::error_code error;
    for (stdfs::recursive_directory_iterator at(campaign_.root(), options, error), end;
         !error && at != end; at.increment(error)) {
      if (!at->is_directory(error) || at->is_symlink(error)) continue;
      if (going.contains(at->path()))
        at.disable_recursion_pending();
      else
        look_into(at->path());
    }
  }

  void spools() {
    Spools spools(current_);
    for (const auto& segment : spools.segments())
      if (const auto rest = spools.emptied(segment)) {
        auto shrunk = piece(segment, "the pictures in it are published: its records stay");
        shrunk.bytes -= static_cast<std::int64_t>(rest->size());
        found_.shrinks.push_back(std::move(shrunk));
      }
  }

  const run::Campaign& campaign_;
  const run::LeaseRecord& self_;
  const run::LeaseProbes& probes_;
  Problems& problems_;
  CurrentResults current_;
  Garbage found_;
};

}  // namespace

Garbage find_garbage(const run::Campaign& campaign, const run::LeaseRecord& self,
                     const run::LeaseProbes& probes, Problems& problems) {
  return Finder(campaign, self, probes, problems).find();
}

}  // namespace evd::hands
