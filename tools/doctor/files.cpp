#include "doctor/files.hpp"

#include <array>
#include <chrono>
#include <thread>

#include <fcntl.h>
#include <grp.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::probe {
namespace {

namespace stdfs = std::filesystem;

constexpr const char* kFirst = "what a rank has published";
constexpr const char* kSecond = "what stands in its place";

std::string content_of(const stdfs::path& path) {
  try {
    return fs::read_text(path, 4096);
  } catch (const Error&) {
    return "";
  }
}

// How long until this rank reads `content` there.
run::Seen wait_for(const stdfs::path& path, const std::string& content) {
  const double begun_s = monotonic_s();
  while (content_of(path) != content) {
    if (monotonic_s() - begun_s > run::kVisibilityLimit_s) return std::nullopt;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  return monotonic_s() - begun_s;
}

std::string kind_of(const stdfs::path& path) {
  struct Kind {
    std::uint32_t magic;
    const char* name;
  };
  static constexpr std::array<Kind, 15> kKinds = {{{0x6969, "nfs"},
                                                   {0x0BD00BD0, "lustre"},
                                                   {0x47504653, "gpfs"},
                                                   {0x19830326, "beegfs"},
                                                   {0x00C36400, "ceph"},
                                                   {0xAAD7AAEA, "panfs"},
                                                   {0x65735546, "fuse"},
                                                   {0xFE534D42, "smb"},
                                                   {0x01021997, "9p"},
                                                   {0x01021994, "tmpfs"},
                                                   {0xEF53, "ext4"},
                                                   {0x58465342, "xfs"},
                                                   {0x9123683E, "btrfs"},
                                                   {0x2FC12FC1, "zfs"},
                                                   {0x794C7630, "overlay"}}};
  struct statfs info {};
  if (::statfs(path.c_str(), &info) != 0) return "unknown";
  const auto magic = static_cast<std::uint32_t>(info.f_type);
  for (const auto& kind : kKinds)
    if (kind.magic == magic) return kind.name;
  return format("0x%08x", magic);
}

// Of the directory that is asked about, which holds the one that we write to.
void look_at(const stdfs::path& directory, run::DirectoryFacts& facts) {
  facts.path = directory.string();
  facts.file_system = kind_of(directory);
  struct statvfs space {};
  if (::statvfs(directory.c_str(), &space) == 0) {
    facts.free_bytes = static_cast<std::int64_t>(space.f_bavail * space.f_frsize);
    if (space.f_files > 0) facts.free_inodes = static_cast<std::int64_t>(space.f_favail);
  }
  struct stat info {};
  if (::stat(directory.c_str(), &info) != 0) return;
  facts.mode = info.st_mode & 07777U;
  const auto* group = getgrgid(info.st_gid);
  facts.group = group != nullptr ? group->gr_name : std::to_string(info.st_gid);
}

void try_locks(const stdfs::path& path, run::DirectoryFacts& facts) {
  const int file = ::open(path.c_str(), O_RDWR | O_CLOEXEC);
  if (file < 0) return;
  facts.flock = ::flock(file, LOCK_EX | LOCK_NB) == 0 && ::flock(file, LOCK_UN) == 0;
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  facts.fcntl_lock = ::fcntl(file, F_SETLK, &lock) == 0;
  ::close(file);
}

class Trial {
 public:
  Trial(const stdfs::path& directory, const mpi::Communicator& world, run::RankFacts& own)
      : directory_(directory), world_(world), own_(own) {}

  run::DirectoryFacts go() {
    if (is_root()) look_at(directory_.parent_path(), facts_);
    const double begun_s = monotonic_s();
    if (!root_publishes("new", kFirst)) return facts_;
    facts_.publish_s = monotonic_s() - begun_s;
    own_.new_file = wait_for(directory_ / "new", kFirst);
    look_up_first();
    replace();
    write_back();
    link_once();
    if (is_root()) try_locks(directory_ / "new", facts_);
    return facts_;
  }

 private:
  [[nodiscard]] bool is_root() const { return world_.rank() == 0; }

  // Whether it could; all ranks go on, or none.
  bool root_publishes(const std::string& name, const std::string& content) {
    std::string trouble;
    if (is_root()) trouble = publish(name, content);
    trouble = world_.broadcast(trouble, 0);
    if (is_root() && !trouble.empty()) facts_.trouble = trouble;
    return trouble.empty();
  }
  [[nodiscard]] std::string publish(const std::string& name, const std::string& content) const {
    try {
      fs::publish(directory_ / name, content);
      return "";
    } catch (const Error& error) {
      return error.what();
    }
  }

  // Clients of network file systems remember for a while that there was nothing.
  void look_up_first() {
    static_cast<void>(content_of(directory_ / "looked-up"));
    world_.barrier();
    if (root_publishes("looked-up", kFirst))
      own_.looked_up_file = wait_for(directory_ / "looked-up", kFirst);
  }

  void replace() {
    if (!root_publishes("replaced", kFirst)) return;
    const bool had_it = wait_for(directory_ / "replaced", kFirst).has_value();
    world_.barrier();
    if (root_publishes("replaced", kSecond) && had_it)
      own_.replaced_file = wait_for(directory_ / "replaced", kSecond);
  }

  void write_back() {
    own_.trouble = publish("of-rank-" + std::to_string(own_.rank), kFirst);
    const bool all_wrote =
        world_.all_reduce(std::int64_t{own_.trouble.empty() ? 0 : 1}, mpi::Reduce::sum) == 0;
    if (!is_root() || !all_wrote) return;
    const double begun_s = monotonic_s();
    for (int rank = 0; rank < world_.size(); ++rank)
      if (!wait_for(directory_ / ("of-rank-" + std::to_string(rank)), kFirst)) return;
    facts_.own_files = monotonic_s() - begun_s;
  }

  // As leases are taken: link(2) may report an error over NFS although it was done.
  void link_once() {
    const auto mine = directory_ / ("of-rank-" + std::to_string(own_.rank));
    world_.barrier();
    struct stat info {};
    own_.link_won = ::link(mine.c_str(), (directory_ / "claim").c_str()) == 0 ||
                    (::stat(mine.c_str(), &info) == 0 && info.st_nlink == 2);
    world_.barrier();
  }

  const stdfs::path& directory_;
  const mpi::Communicator& world_;
  run::RankFacts& own_;
  run::DirectoryFacts facts_;
};

}  // namespace

run::DirectoryFacts try_files(const stdfs::path& directory, const mpi::Communicator& world,
                              run::RankFacts& own) {
  return Trial(directory, world, own).go();
}

}  // namespace evd::probe
