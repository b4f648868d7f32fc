#include "run/admission.hpp"

#include <algorithm>
#include <optional>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/holders.hpp"
#include "run/signals.hpp"
#include "shard/listed_file.hpp"

namespace evd::run {
namespace {

using Json = nlohmann::ordered_json;

// What an attempt began with: finished parts of a killed attempt are good only for the same.
constexpr const char* kStarted = "started.json";

std::string started_text(const std::vector<shard::InputEntry>& inputs, const Config& config,
                         Stage stage) {
  Json json = {{"inputs", Json::array()}, {"settings", Json::object()}};
  for (const auto& input : inputs)
    json["inputs"].push_back(
        {{"stage", input.stage}, {"round", input.round}, {"content", input.content.hex()}});
  for (const auto& setting : settings_of(config))
    if (setting.scope == Scope::identity ||
        (setting.scope == Scope::science && affects(setting.path, stage)))
      json["settings"][setting.path] = setting.value;
  return json.dump(1) + "\n";
}

std::filesystem::path retired_name(const std::filesystem::path& directory) {
  for (int i = 1;; ++i) {
    std::filesystem::path name = directory.string() + format(".retired-%03d", i);
    std::error_code ignored;
    if (!std::filesystem::exists(name, ignored)) return name;
  }
}

void retire(const std::filesystem::path& directory, const std::string& why, const Log& log) {
  const auto name = retired_name(directory);
  fs::rename(directory, name);
  log.info("the old result is set aside as " + name.filename().string() + " (" + why + ")");
}

// A stage that reads `ref`'s result and whose holder is not known to be gone.
std::optional<LeaseRecord> running_reader(const Campaign& campaign, const StageRef& ref,
                                          Standings& standings, const LeaseRecord& self,
                                          const LeaseProbes& probes) {
  const int last = std::max(ref.round + 2, campaign.rounds_begun());
  for (const auto& reader : chain(last)) {
    const auto inputs = standings.inputs(reader);
    if (std::find(inputs.begin(), inputs.end(), ref) == inputs.end()) continue;
    const auto holder = read_lease(campaign.lease_file(reader));
    if (holder && liveness(*holder, self, probes) != Liveness::gone) return holder;
  }
  return std::nullopt;
}

// A job that Slurm started again after it had published: what it was submitted for is done, and a
// rerun would be paid twice.
bool published_before(const std::optional<shard::Manifest>& result, const LeaseRecord& self) {
  return result && self.slurm_restart > 0 && !self.slurm_job.empty() &&
         result->job.starts_with(self.slurm_job + "-");
}

[[noreturn]] void refuse_stale(const StageRef& ref, const Standing& standing,
                               const std::filesystem::path& campaign) {
  throw ConfigurationError(to_string(ref) + " is done but " + std::string(name_of(standing.state)) +
                           " (" + standing.why +
                           "); to do it again: " + command_of(ref, campaign, "--rerun"));
}

void prepare_directory(const Campaign& campaign, const AdmissionRequest& request,
                       Standings& standings, const std::vector<shard::InputEntry>& inputs,
                       const Log& log) {
  const auto directory = campaign.directory(request.self);
  const std::string text =
      started_text(inputs, standings.config(request.self.round), request.self.stage);
  std::error_code ignored;
  const bool there = std::filesystem::exists(directory, ignored);
  const bool published = std::filesystem::exists(directory / "MANIFEST.json", ignored);
  if (published) {
    retire(directory, "rerun", log);
  } else if (there && std::filesystem::exists(directory / kStarted, ignored)) {
    if (fs::read_text(directory / kStarted) == text) {
      static_cast<void>(fs::remove_leftovers(directory));
      return;
    }
    retire(directory, "an unfinished attempt that began with other inputs", log);
  }
  fs::make_directory(directory);
  fs::publish(directory / kStarted, text);
}

// Whatever stands in another campaign's file is sound, so nobody who reads it would notice.
void require_own_files(Standings& standings, const StageRef& self, const Campaign& campaign) {
  for (const auto& input : standings.inputs(self)) {
    const auto& manifest = *standings.manifest(input);
    for (const auto& file : manifest.files) try {
        // Features that are gone or damaged are extracted again.
        if (file.table == shard::table_name<shard::Feature>()) continue;
        shard::require_listed(campaign.directory(input), manifest, file);
      } catch (const DataError& foreign) {
        const std::string again =
            input.stage == Stage::init
                ? ""
                : ", or make it again: " + command_of(input, campaign.root(), "--rerun");
        throw DataError(std::string(foreign.what()) + "; restore the file" + again);
      }
  }
}

/// --rerun=fresh without --yes: what is spent once more is told, and nothing done.
[[noreturn]] void refuse_unasked(const StageRef& self, const std::optional<shard::Manifest>& old) {
  const bool pays = self.stage != Stage::train && self.stage != Stage::evaluate;
  std::string had = "it had no result yet";
  if (old && pays) {
    had = "it had " + std::to_string(old->counts.done) + " answers for " +
          human_usd(old->cost_microusd);
  } else if (old) {
    const auto wall = old->seconds.find("wall");
    had = "it took " + human_duration(wall == old->seconds.end() ? 0 : wall->second);
  }
  throw UsageError(std::string("--rerun=fresh ") +
                   (pays ? "pays again for " : "computes all anew of ") + to_string(self) + ": " +
                   had + "; add --yes to agree");
}

}  // namespace

std::string command_of(const StageRef& ref, const std::filesystem::path& campaign,
                       const std::string& more) {
  return program_of(ref.stage) + " " + shell_word(campaign.string()) + " " + arguments_of(ref) +
         (more.empty() ? "" : " " + more);
}

std::vector<shard::InputEntry> current_inputs(Standings& standings, const StageRef& ref,
                                              const std::filesystem::path& campaign) {
  std::vector<shard::InputEntry> inputs;
  for (const auto& input : standings.inputs(ref)) {
    const auto& standing = standings.of(input);
    if (standing.state != State::done) {
      const std::string first =
          input.stage == Stage::init
              ? "evd verify " + shell_word(campaign.string())
              : command_of(input, campaign, standing.state == State::unfinished ? "" : "--rerun");
      throw ConfigurationError(to_string(ref) + " reads " + to_string(input) + ", which is " +
                               std::string(name_of(standing.state)) + " (" + standing.why +
                               "); first: " + first);
    }
    inputs.push_back(
        {std::string(name(input.stage)), input.round, standings.manifest(input)->content});
  }
  return inputs;
}

Admission admit(const Campaign& campaign, const AdmissionRequest& request,
                const LeaseProbes& probes, const LeaseTiming& timing, const Log& log) {
  const auto& self = request.self;
  const LeaseRecord identity = lease_identity(self, request.job, request.ranks);
  const auto done_already = [&](Standings& standings) {
    const auto& own = standings.of(self);
    if (own.state == State::unfinished) return false;
    const bool once_more = request.rerun != Rerun::no && request.rerun != Rerun::stale;
    if (once_more && !published_before(standings.manifest(self), identity)) return false;
    if (own.state != State::done && request.rerun == Rerun::stale) return false;
    if (own.state != State::done) refuse_stale(self, own, campaign.root());
    log.info(to_string(self) +
             " is done already; to do it again: " + command_of(self, campaign.root(), "--rerun"));
    return true;
  };
  {
    Standings standings(campaign);
    if (done_already(standings)) return {};
    static_cast<void>(current_inputs(standings, self, campaign.root()));
    if (request.rerun == Rerun::fresh && !request.yes)
      refuse_unasked(self, standings.manifest(self));
  }
  auto lease = std::make_unique<Lease>(campaign.lease_file(self), identity, probes, timing, log,
                                       [] { stop_flag().store(true); });
  await_cleaning(campaign, identity, probes, timing, log);
  // Another job may have finished it, or its inputs may have changed, while the lease was waited
  // for.
  Standings standings(campaign);
  if (done_already(standings)) return {};
  auto inputs = current_inputs(standings, self, campaign.root());
  require_own_files(standings, self, campaign);
  if (request.rerun != Rerun::no) {
    if (const auto reader = running_reader(campaign, self, standings, identity, probes)) {
      throw ConfigurationError(to_string(self) +
                               " cannot be done again now: its result is read by " +
                               to_string(ref_of(*reader)) + ", run by " + describe(*reader) +
                               "; wait for it, or end it first");
    }
  }
  prepare_directory(campaign, request, standings, inputs, log);
  return {std::move(lease), std::move(inputs)};
}

}  // namespace evd::run
