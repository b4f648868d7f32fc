#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <sys/types.h>

#include "problems.hpp"
#include "run/campaign.hpp"
#include "run/lease.hpp"

namespace evd::hands {

/// A file or directory below a campaign, with why it may go or has to stay.
struct Piece {
  std::filesystem::path path;
  std::string name;  ///< relative to the campaign
  std::string why;
  std::int64_t bytes = 0;  ///< of all files below it
  ino_t inode = 0;         ///< tells it from another one that has its name since
};

struct Garbage {
  std::vector<Piece> goes;
  std::vector<Piece> shrinks;  ///< journals; `bytes` is what they lose
  std::vector<Piece> stays;    ///< results that were set aside and are kept
};

/// What nothing points at any more: results that were set aside, unless a result in force points
/// into them or was made from them, or something paid for stands in them alone; old checkpoints of
/// finished rounds; what programs that are gone left over; pictures in journals that are published
/// too. Journals themselves always stay: what was spent is counted in them. A result that was set
/// aside and cannot be read is noted in `problems` and stays. DataError or IoError when a result in
/// force cannot be read.
[[nodiscard]] Garbage find_garbage(const run::Campaign& campaign, const run::LeaseRecord& self,
                                   const run::LeaseProbes& probes, Problems& problems);

/// Ending of a directory that is being taken away: `.judge.retired-001.removed`. A result with such
/// a name is looked for by nobody.
constexpr const char* kRemoved = ".removed";

}  // namespace evd::hands
