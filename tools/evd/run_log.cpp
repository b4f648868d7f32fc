#include "run_log.hpp"

#include <fstream>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "data/line_reader.hpp"

namespace evd::hands {
namespace {

std::filesystem::path log_path(const run::Campaign& campaign) {
  return campaign.logs() / "run.jsonl";
}

// A log for people and for `status --times`: nothing hangs on its last line.
void append(const run::Campaign& campaign, const nlohmann::ordered_json& json) {
  std::ofstream file(log_path(campaign), std::ios::app);
  file << json.dump() + "\n" << std::flush;
}

}  // namespace

void append_run(const run::Campaign& campaign, const RunEntry& entry) {
  append(campaign, {{"stage", name(entry.ref.stage)},
                    {"round", entry.ref.round},
                    {"spawned_ms", entry.spawned_ms},
                    {"ended_ms", entry.ended_ms},
                    {"wall_s", entry.wall_s},
                    {"code", entry.code}});
}

void append_probe(const run::Campaign& campaign, const ProbeEntry& entry) {
  append(
      campaign,
      {{"probe", name(entry.stage)}, {"spawned_ms", entry.spawned_ms}, {"wall_s", entry.wall_s}});
}

RunLog read_run_log(const run::Campaign& campaign) {
  RunLog log;
  std::error_code ignored;
  if (!std::filesystem::exists(log_path(campaign), ignored)) return log;
  data::LineReader lines(log_path(campaign));
  while (const auto line = lines.next()) {
    const auto json = nlohmann::json::parse(line->text, nullptr, false);
    if (json.is_discarded()) continue;
    try {
      if (json.contains("probe")) {
        log.probes.push_back({parse_enum<run::Stage>(json.at("probe").get<std::string>(), "stage"),
                              json.at("spawned_ms"), json.at("wall_s")});
      } else {
        log.runs.push_back({{parse_enum<run::Stage>(json.at("stage").get<std::string>(), "stage"),
                             json.at("round")},
                            json.at("spawned_ms"),
                            json.at("ended_ms"),
                            json.at("wall_s"),
                            json.at("code")});
      }
    } catch (const nlohmann::json::exception&) {
      continue;
    } catch (const Error&) {
      continue;
    }
  }
  return log;
}

}  // namespace evd::hands
