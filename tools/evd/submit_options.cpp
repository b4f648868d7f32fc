#include "submit_options.hpp"

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::hands {

using run::Stage;
using run::StageRef;

std::optional<StageRef> named_stage(const SubmitOptions& options) {
  if (options.stage.empty()) {
    if (!options.round.empty() || !options.rerun.empty() || options.then_rest)
      throw UsageError("--round, --rerun and --then-rest go with --stage");
    if (options.rounds == 0) throw UsageError("what is to be done? Give --rounds N, or --stage");
    return std::nullopt;
  }
  const auto stage = parse_enum<Stage>(options.stage, "--stage");
  const bool start = options.round == "start";
  if (stage == Stage::init || (start && stage != Stage::evaluate && stage != Stage::score))
    throw UsageError("--stage " + options.stage + (start ? " has no start stage" : " is no job") +
                     "; evd init has done it");
  if (start) return StageRef{stage, run::kStartRound};
  if (options.round.empty() || options.round.size() > 6 ||
      options.round.find_first_not_of("0123456789") != std::string::npos)
    throw UsageError("--stage " + options.stage + ": of which round? Give --round N, or start");
  return StageRef{stage, std::stoi(options.round)};
}

std::string rerun_arguments(const SubmitOptions& options) {
  if (options.rerun.empty()) return "";
  if (options.rerun == "again") return "--rerun";
  if (options.rerun == "failed") return "--rerun=failed";
  if (options.rerun == "fresh") return "--rerun=fresh --yes";
  throw UsageError("--rerun=" + options.rerun + " is not one of: failed, fresh (or --rerun alone)");
}

}  // namespace evd::hands
