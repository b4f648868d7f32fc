#include "run/journal_failure.hpp"

#include <string>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd::run {
namespace {

std::string consequence(std::int64_t lost) {
  if (lost == 0) return "no answer is lost; the same command goes on from here";
  // Of the last write, whole records may have reached the disk, so it is the most.
  const std::string answers = lost == 1 ? "1 answer" : "up to " + std::to_string(lost) + " answers";
  return answers +
         " under way could not be recorded: counted as possibly charged; the same command asks "
         "for " +
         (lost == 1 ? "it" : "them") + " once more and for nothing else twice";
}

}  // namespace

void require_journals(const mpi::Communicator& world,
                      const teacher::Caller::JournalFailure& failure) {
  const auto lost = world.all_reduce(failure.lost, mpi::Reduce::sum);
  const auto failed =
      world.all_reduce(std::int64_t{failure.what.empty() ? 0 : 1}, mpi::Reduce::sum);
  if (failed == 0) return;
  std::string what;
  for (const auto& bytes : world.gather(as_bytes(failure.what), 0))
    if (what.empty() && !bytes.empty())
      what.assign(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  if (world.rank() != 0) world.barrier();
  if (failed > 1) what += ", and so on " + std::to_string(failed) + " ranks";
  throw IoError(what + "; nothing more was asked, and " + consequence(lost));
}

}  // namespace evd::run
