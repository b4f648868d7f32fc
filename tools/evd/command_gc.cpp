#include <iostream>
#include <memory>
#include <optional>

#include <CLI/CLI.hpp>

#include "commands.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "garbage.hpp"
#include "removal.hpp"
#include "run/holders.hpp"
#include "submit_lease.hpp"
#include "text_table.hpp"

namespace evd::hands {
namespace {

struct GcOptions {
  std::filesystem::path directory;
  bool dry_run = false;
};

std::string size_of(std::int64_t bytes) { return human_bytes(static_cast<double>(bytes)); }

std::string paths(std::size_t count) {
  return std::to_string(count) + (count == 1 ? " path" : " paths");
}

class Collection {
 public:
  explicit Collection(const GcOptions& options)
      : options_(options), campaign_(options.directory), self_(command_identity("evd gc")) {}

  int go() {
    std::optional<run::Lease> lease;
    if (!options_.dry_run) {
      lease.emplace(run::cleaning_lease(campaign_), self_, probes_, run::LeaseTiming{}, log_,
                    [] {});
    }
    refuse_beside_jobs();
    const Garbage garbage = find();
    print(garbage);
    if (!options_.dry_run) {
      // Jobs wait while names change, but not until the last byte is gone.
      const auto hidden = take_all_away(garbage, *lease);
      lease.reset();
      for (const auto& directory : hidden) remove_directory(directory);
    }
    return end(garbage);
  }

 private:
  Garbage find() {
    try {
      return find_garbage(campaign_, self_, probes_, problems_);
    } catch (const DataError& error) {
      throw DataError(std::string(error.what()) +
                      "; what this result points at is not known, so nothing is removed; first: "
                      "evd verify " +
                      shell_word(campaign_.root().string()));
    }
  }

  void refuse_beside_jobs() const {
    const auto holders =
        run::living_holders(campaign_.root() / "leases", self_, probes_, run::LeaseTiming{}, log_);
    if (holders.empty()) return;
    const auto& holder = holders.front();
    const std::string what =
        holder.round == run::kNoRound ? holder.stage : to_string(run::ref_of(holder));
    throw ConfigurationError(
        what + " is being run by " + describe(holder) +
        (holders.size() > 1 ? " (and " + std::to_string(holders.size() - 1) + " more)" : "") +
        ", and may read what would be removed; nothing is removed; wait for it (evd status " +
        shell_word(campaign_.root().string()) + "), then type the same command again");
  }

  static void print(const Garbage& garbage) {
    std::vector<std::vector<std::string>> rows = {{"path", "size", "why"}};
    for (const auto& piece : garbage.goes)
      rows.push_back({piece.name, size_of(piece.bytes), piece.why});
    for (const auto& piece : garbage.shrinks)
      rows.push_back({piece.name, size_of(piece.bytes), piece.why});
    for (const auto& piece : garbage.stays)
      rows.push_back({piece.name, size_of(piece.bytes), "kept: " + piece.why});
    if (rows.size() > 1)
      std::cout << text_table(rows, {Align::left, Align::right, Align::left}) << std::flush;
  }

  [[nodiscard]] std::vector<std::filesystem::path> take_all_away(const Garbage& garbage,
                                                                 const run::Lease& lease) const {
    std::vector<std::filesystem::path> hidden;
    const CurrentResults current(campaign_);
    Spools spools(current);
    for (const auto& segment : garbage.shrinks) {
      lease.confirm();
      shrink(segment, spools);
    }
    for (const auto& piece : garbage.goes) {
      lease.confirm();
      if (auto directory = take_away(piece); !directory.empty())
        hidden.push_back(std::move(directory));
    }
    return hidden;
  }

  [[nodiscard]] int end(const Garbage& garbage) const {
    std::int64_t bytes = 0;
    for (const auto& piece : garbage.goes) bytes += piece.bytes;
    for (const auto& piece : garbage.shrinks) bytes += piece.bytes;
    std::cout << paths(garbage.goes.size()) << ", " << size_of(bytes)
              << (options_.dry_run ? " would be removed" : " removed");
    if (!garbage.shrinks.empty())
      std::cout << ", parts of " << garbage.shrinks.size() << " journals among it";
    if (!garbage.stays.empty()) std::cout << "; " << garbage.stays.size() << " set aside and kept";
    std::cout << "\n";
    for (const auto& problem : problems_.lines())
      std::cerr << "evd: " << problem << " (kept as it is)\n";
    return static_cast<int>(problems_.lines().empty() ? ExitCode::done : ExitCode::data);
  }

  const GcOptions& options_;
  Log log_{"evd", 0};
  run::Campaign campaign_;
  run::LeaseProbes probes_ = run::system_probes();
  run::LeaseRecord self_;
  Problems problems_;
};

}  // namespace

Command add_gc(CLI::App& app) {
  auto* sub = app.add_subcommand("gc", "Remove old results that nothing points at");
  auto options = std::make_shared<GcOptions>();
  sub->add_option("DIR", options->directory, "Campaign directory")->required();
  sub->add_flag("--dry-run", options->dry_run, "Print what would go, and why; remove nothing");
  sub->footer(
      "Results that a rerun set aside, old checkpoints of finished rounds and what killed "
      "programs\n"
      "left over go. What is in force, and what it points at, stays; so do journals, and every\n"
      "picture and answer that was paid for.");
  return {sub, [options] { return Collection(*options).go(); }};
}

}  // namespace evd::hands
