#include "doctor_ranks.hpp"

#include <algorithm>
#include <cmath>
#include <set>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "run/launch.hpp"
#include "text_table.hpp"

namespace evd::hands {
namespace {

using run::ProbeReport;
using run::RankFacts;

constexpr double kLateFile_s = 2;
constexpr double kClockApart_s = 1;
constexpr std::int64_t kLittleSpace_bytes = 1LL << 30;
constexpr std::int64_t kFewInodes = 10'000;

std::string bytes(std::int64_t count) { return human_bytes(static_cast<double>(count)); }

std::string number(int count, const std::string& what) {
  return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
}

// Whole cores that a rank may keep busy.
int usable_cores(const RankFacts& rank) {
  if (!rank.cpu_quota) return rank.cpus;
  return std::min(rank.cpus, std::max(1, static_cast<int>(*rank.cpu_quota)));
}

std::string memory_of(const RankFacts& rank) {
  std::string text = rank.memory_bytes ? bytes(*rank.memory_bytes) : "unknown";
  if (rank.memory_limit_bytes) text += ", of which " + bytes(*rank.memory_limit_bytes);
  return text;
}

std::string gpus_of(const RankFacts& rank) {
  if (rank.gpus_present == 0) return "none";
  std::string text = std::to_string(rank.gpus_usable);
  if (rank.gpus_usable < rank.gpus_present)
    text += " of " + std::to_string(rank.gpus_present) + " may be opened";
  if (rank.cuda_visible_devices)
    text += " (CUDA_VISIBLE_DEVICES=" + *rank.cuda_visible_devices + ")";
  return text;
}

class Judge {
 public:
  Judge(const ProbeReport& report, const Asked& asked) : report_(report), asked_(asked) {}

  std::vector<Check> go() {
    places();
    cores();
    gpus();
    clocks();
    space();
    if (wrote()) {
      visibility();
      links();
      locks();
    }
    return std::move(checks_);
  }

 private:
  void add(Health health, std::string name, std::string what, std::string next = "",
           ExitCode code = ExitCode::configuration) {
    checks_.push_back({health, std::move(name), std::move(what), std::move(next), code});
  }
  [[nodiscard]] int hosts() const {
    std::set<std::string> names;
    for (const auto& rank : report_.ranks) names.insert(rank.host);
    return static_cast<int>(names.size());
  }

  void places() {
    add(Health::ok, "MPI",
        "one world of " + number(report_.world, "rank") + " on " + number(hosts(), "node"));
  }

  void cores() {
    for (const auto& rank : report_.ranks) {
      const int asked = rank.slurm_cpus_per_task.value_or(1);
      const std::string who = "rank " + std::to_string(rank.rank) + " on " + rank.host;
      if (rank.cpus == 0)
        return add(Health::unknown, "CPUs", who + " could not ask which it may use");
      if (usable_cores(rank) < asked)
        return add(Health::warning, "CPUs",
                   who + " was given " + std::to_string(asked) + " and may use " +
                       std::to_string(usable_cores(rank)),
                   "see cpus_per_task of the site, and how the launcher binds (srun --cpu-bind)");
      // Ranks of a node that are bound apart have their own; those that are not share them all.
      if (usable_cores(rank) < rank.node_size && usable_cores(rank) > 1)
        return add(Health::warning, "CPUs",
                   number(rank.node_size, "rank") + " of " + rank.host + " share " +
                       std::to_string(usable_cores(rank)),
                   "start fewer ranks on a node");
    }
    add(Health::ok, "CPUs", "each rank may use as many as it was given");
  }

  void gpus() {
    const bool any = std::any_of(report_.ranks.begin(), report_.ranks.end(),
                                 [](const auto& rank) { return rank.gpus_usable > 0; });
    const bool all = std::all_of(report_.ranks.begin(), report_.ranks.end(),
                                 [](const auto& rank) { return rank.gpus_usable > 0; });
    if (!any && asked_.gpus)
      add(Health::failed, "GPUs", "the site asks for some, and no rank may open one",
          "see gpus_per_node, gpus_per_task or gres of the site, and its partition");
    else if (any && !all)
      add(Health::warning, "GPUs", "some ranks may open one, others may not",
          "see gpus_per_node or gpus_per_task of the site");
    else
      add(Health::ok, "GPUs", any ? "each rank may open one" : "none, and none was asked for");
  }

  void clocks() {
    const auto& first = report_.ranks.front().clock_s;
    double apart_s = 0;
    std::string who;
    for (const auto& rank : report_.ranks) {
      // The least of a few looks: a rank may come late from a barrier, never early.
      double least_s = -1;
      for (std::size_t i = 0; i < std::min(first.size(), rank.clock_s.size()); ++i) {
        const double seconds = std::abs(rank.clock_s[i] - first[i]);
        if (least_s < 0 || seconds < least_s) least_s = seconds;
      }
      if (least_s <= apart_s) continue;
      apart_s = least_s;
      who = rank.host;
    }
    if (apart_s <= kClockApart_s)
      return add(Health::ok, "clocks", format("agree within %.3f s", apart_s));
    add(Health::warning, "clocks",
        format("%s is %.1f s apart from %s", who.c_str(), apart_s,
               report_.ranks.front().host.c_str()),
        "tell the administrators: the newest of two results is told by its time");
  }

  void space() {
    const auto& d = report_.directory;
    add(Health::ok, "directory",
        d.path + ": " + d.file_system + ", mode " + format("%04o", d.mode) + ", group " + d.group +
            ((d.mode & 020U) != 0 ? "" : ", which may not write (a colleague could not go on)"));
    std::string what = bytes(d.free_bytes) + " free";
    if (d.free_inodes) what += ", " + std::to_string(*d.free_inodes) + " files more";
    const bool is_little =
        d.free_bytes < kLittleSpace_bytes || (d.free_inodes && *d.free_inodes < kFewInodes);
    add(is_little ? Health::warning : Health::ok, "space", what,
        is_little ? "make room, or take another directory" : "");
    add(Health::unknown, "quota",
        "what of that is left to you cannot be asked in a way that all "
        "file systems know");
  }

  bool wrote() {
    std::string who = "rank 0";
    std::string trouble = report_.directory.trouble;
    for (const auto& rank : report_.ranks)
      if (trouble.empty() && !rank.trouble.empty()) {
        trouble = rank.trouble;
        who = "rank " + std::to_string(rank.rank) + " on " + rank.host;
      }
    if (trouble.empty()) {
      add(Health::ok, "write",
          format("write, fsync, read back and rename took %.3f s", report_.directory.publish_s));
      return true;
    }
    add(Health::failed, "write", who + ": " + trouble,
        "take a directory that every node can write to", ExitCode::io);
    return false;
  }

  void visibility() {
    if (report_.world == 1)
      return add(Health::unknown, "other ranks",
                 "there is only one: what others see was not tried");
    double slowest_s = report_.directory.own_files.value_or(run::kVisibilityLimit_s);
    bool all_seen = report_.directory.own_files.has_value();
    std::string who = report_.ranks.front().host;
    for (const auto& rank : report_.ranks)
      for (const auto& seen : {rank.new_file, rank.looked_up_file, rank.replaced_file}) {
        all_seen = all_seen && seen.has_value();
        if (const double waited_s = seen.value_or(run::kVisibilityLimit_s); waited_s >= slowest_s) {
          slowest_s = waited_s;
          who = rank.host;
        }
      }
    if (!all_seen)
      return add(Health::failed, "other ranks",
                 who + " did not see within " + human_duration(run::kVisibilityLimit_s) +
                     " what a rank of another node had published",
                 "take a directory on a file system that all nodes share", ExitCode::io);
    const std::string what = format("see new and changed files after at most %.3f s", slowest_s);
    if (slowest_s <= kLateFile_s) return add(Health::ok, "other ranks", what);
    add(Health::warning, "other ranks", what + " (" + who + ")",
        "it works, but jobs that start on another node than the one before may wait as long");
  }

  void links() {
    const auto winners = std::count_if(report_.ranks.begin(), report_.ranks.end(),
                                       [](const auto& rank) { return rank.link_won; });
    if (winners == 1) return add(Health::ok, "leases", "of all ranks one made the same link");
    add(Health::failed, "leases",
        winners == 0 ? "no rank could make a hard link"
                     : number(static_cast<int>(winners), "rank") + " made the same link",
        "take another file system: this one would let two jobs run one stage at once",
        ExitCode::io);
  }

  void locks() {
    const auto& d = report_.directory;
    if (d.flock && d.fcntl_lock) return add(Health::ok, "locks", "flock and fcntl work");
    add(Health::warning, "locks",
        std::string(d.flock        ? "fcntl"
                    : d.fcntl_lock ? "flock"
                                   : "neither flock nor fcntl") +
            (d.flock || d.fcntl_lock ? " does not work" : " works"),
        "these programs need none; h5py and other readers of HDF5 may: export "
        "HDF5_USE_FILE_LOCKING=FALSE for them");
  }

  const ProbeReport& report_;
  const Asked& asked_;
  std::vector<Check> checks_;
};

// Tasks that know nothing of each other, each a world of its own.
std::optional<Check> launch_check(const std::vector<ProbeReport>& reports, const Asked& asked) {
  const auto& first = reports.front();
  const std::string next =
      "under Slurm: `srun --mpi=list` shows the choices; set mpi = \"...\" in the site file to one "
      "that your MPI was built for (pmix for most); with mpirun: take the one of the MPI that "
      "these "
      "programs were built with (EVD_MPIRUN names it)";
  if (reports.size() > 1)
    return Check{Health::failed, "MPI",
                 std::to_string(reports.size()) +
                     " tasks were started, and each is alone: rank 0 of a world of " +
                     std::to_string(first.world),
                 next};
  if (const auto problem = run::launch_problem(first.launched, first.world))
    return Check{Health::failed, "MPI", *problem, next};
  if (asked.ranks && *asked.ranks != first.world)
    return Check{Health::failed, "MPI",
                 number(*asked.ranks, "rank") + " were asked for, and MPI sees " +
                     std::to_string(first.world),
                 next};
  return std::nullopt;
}

}  // namespace

std::string rank_table(const ProbeReport& report) {
  std::vector<std::vector<std::string>> rows = {
      {"rank", "host", "in node", "CPUs", "memory", "GPUs"}};
  for (const auto& rank : report.ranks) {
    std::string cpus = std::to_string(rank.cpus);
    if (rank.cpu_quota) cpus += format(", quota %.1f", *rank.cpu_quota);
    rows.push_back({std::to_string(rank.rank), rank.host,
                    std::to_string(rank.node_rank) + " of " + std::to_string(rank.node_size), cpus,
                    memory_of(rank), gpus_of(rank)});
  }
  return text_table(
      rows, {Align::right, Align::left, Align::right, Align::right, Align::left, Align::left});
}

std::vector<Check> judge_ranks(const std::vector<ProbeReport>& reports, const Asked& asked) {
  if (auto check = launch_check(reports, asked)) return {std::move(*check)};
  return Judge(reports.front(), asked).go();
}

}  // namespace evd::hands
