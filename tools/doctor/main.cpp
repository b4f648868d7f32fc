// evd-probe: what `evd doctor` starts on the ranks of a site. It looks around, tries the directory
// and writes one line that holds what it found.
#include <cstdlib>
#include <filesystem>
#include <iostream>

#include <CLI/CLI.hpp>
#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "doctor/facts.hpp"
#include "doctor/files.hpp"
#include "mpi/communicator.hpp"
#include "run/launch.hpp"
#include "run/options.hpp"
#include "run/stage_report.hpp"

namespace {

using namespace evd;

constexpr unsigned kLimit_s = 300;  // of all: MPI_Init and collectives may hang on a wrong network
constexpr int kClockLooks = 3;

const char* environment(const char* name) { return std::getenv(name); }

void look_at_the_clock(const mpi::Communicator& world, run::RankFacts& facts) {
  for (int look = 0; look < kClockLooks; ++look) {
    world.barrier();
    facts.clock_s.push_back(static_cast<double>(utc_ms()) / 1e3);
  }
}

void look_and_tell(const std::filesystem::path& directory, std::optional<int> launched) {
  const auto world = mpi::Communicator::world();
  const auto node = world.node();
  auto facts = probe::look_around();
  facts.rank = world.rank();
  facts.node_rank = node.rank();
  facts.node_size = node.size();
  look_at_the_clock(world, facts);
  run::ProbeReport report{.software = run::software(),
                          .world = world.size(),
                          .launched = launched ? launched : facts.slurm_ntasks,
                          .directory = probe::try_files(directory, world, facts)};
  const std::string words = to_json(facts);
  for (const auto& bytes : world.gather(as_bytes(words), 0))
    report.ranks.push_back(
        run::parse_rank_facts({reinterpret_cast<const char*>(bytes.data()), bytes.size()}));
  if (world.rank() != 0) return;
  const std::string line = to_line(report);
  for (std::size_t written = 0; written < line.size();) {
    const auto count = ::write(STDOUT_FILENO, line.data() + written, line.size() - written);
    if (count <= 0) throw IoError("write what was found: standard output does not take it");
    written += static_cast<std::size_t>(count);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const auto launched = run::launched_ranks(environment);
  CLI::App app("Looks around on every rank of a job, for evd doctor", "evd-probe");
  std::filesystem::path directory;
  app.add_option("DIR", directory, "An empty directory that all ranks see")->required();
  app.footer(run::exit_code_help());
  const auto speaks = run::launched_rank(environment) == 0 ? run::Speaks::yes : run::Speaks::no;
  if (const auto code = run::parse_command_line(app, argc, argv, speaks)) return *code;
  alarm(kLimit_s);
  try {
    const mpi::Environment mpi(argc, argv);
    look_and_tell(directory, launched);
    return 0;
  } catch (const std::exception& error) {
    std::cerr << "evd-probe: " << error.what() << "\n";
    return static_cast<int>(exit_code(error));
  }
}
