#include "slurm_queue.hpp"

#include <charconv>

#include "capture.hpp"
#include "core/text.hpp"

namespace evd::hands {
namespace {

// The reverse of run::file_stem.
std::optional<run::StageRef> parse_stem(std::string_view stem) {
  const auto dash = stem.find('-');
  if (dash == std::string_view::npos) return std::nullopt;
  const auto round = stem.substr(dash + 1);
  for (const auto stage : {run::Stage::harvest, run::Stage::judge, run::Stage::train,
                           run::Stage::evaluate, run::Stage::score}) {
    if (name(stage) != stem.substr(0, dash)) continue;
    if (round == "start") return run::StageRef{stage, run::kStartRound};
    int number = 0;
    const auto [end, error] = std::from_chars(round.data(), round.data() + round.size(), number);
    if (error == std::errc{} && end == round.data() + round.size())
      return run::StageRef{stage, number};
  }
  return std::nullopt;
}

}  // namespace

std::string job_comment(const CampaignId& campaign, const run::StageRef& ref) {
  return "evd:" + campaign.hex() + ":" + run::file_stem(ref);
}

Queue parse_queue(std::string_view squeue, const CampaignId& campaign) {
  const std::string ours = "evd:" + campaign.hex() + ":";
  Queue queue;
  for (const auto& line : split(squeue, '\n')) {
    const auto fields = split(line, '|');
    if (fields.size() != 4 || !fields[3].starts_with(ours)) continue;
    if (const auto ref = parse_stem(trim(std::string_view(fields[3]).substr(ours.size()))))
      queue[*ref] = {fields[0], fields[1], fields[2]};
  }
  return queue;
}

QueueAnswer ask_queue(const CampaignId& campaign) {
  const auto answer = capture({"squeue", "--noheader", "--format=%i|%T|%r|%k"});
  if (answer.code == 127) return {{}, "there is no squeue on PATH"};
  if (answer.code != 0)
    return {{}, "squeue says: " + std::string(trim(split(trim(answer.err), '\n').back()))};
  return {parse_queue(answer.out, campaign), ""};
}

std::string describe(const QueuedJob& job) {
  std::string text = lower_ascii(job.state);
  if (job.state == "PENDING") text += " (" + job.reason + ")";
  return text;
}

}  // namespace evd::hands
