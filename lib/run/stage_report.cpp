#include "run/stage_report.hpp"

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"

namespace evd::run {
namespace {

using Json = nlohmann::ordered_json;
constexpr const char* kName = "report.json";

Json encode(const shard::Counts& c) {
  return {{"done", c.done}, {"refused", c.refused}, {"failed", c.failed}, {"open", c.open}};
}

shard::Counts decode(const Json& json) {
  return {.done = json.at("done"),
          .refused = json.at("refused"),
          .failed = json.at("failed"),
          .open = json.at("open")};
}

}  // namespace

std::string to_json(const StageReport& r) {
  Json json = {
      {"stage", r.stage},
      {"round", r.round},
      {"attempt", r.attempt},
      {"state", r.state},
      {"exit_code", r.exit_code},
      {"error", r.error},
      {"rank", r.rank},
      {"ranks", r.ranks},
      {"job", r.job},
      {"software", r.software},
      {"started", iso8601(r.started_ms)},
      {"ended", iso8601(r.ended_ms)},
      {"started_ms", r.started_ms},
      {"ended_ms", r.ended_ms},
      {"closing_line", r.closing_line},
      {"counts", encode(r.counts)},
      {"by_teacher", Json::object()},
      {"tallies", r.tallies},
      {"seconds", r.seconds},
      {"cost_microusd", r.cost_microusd},
      {"ambiguous_microusd", r.ambiguous_microusd},
  };
  for (const auto& [teacher, counts] : r.by_teacher) json["by_teacher"][teacher] = encode(counts);
  // A reason may quote bytes of a service that are no UTF-8.
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

std::optional<StageReport> read_report(const std::filesystem::path& directory) {
  std::error_code ignored;
  if (!std::filesystem::exists(directory / kName, ignored)) return std::nullopt;
  try {
    const auto json = Json::parse(fs::read_text(directory / kName, 1 << 24));
    StageReport r;
    json.at("stage").get_to(r.stage);
    json.at("round").get_to(r.round);
    json.at("attempt").get_to(r.attempt);
    json.at("state").get_to(r.state);
    json.at("exit_code").get_to(r.exit_code);
    json.at("error").get_to(r.error);
    json.at("rank").get_to(r.rank);
    json.at("ranks").get_to(r.ranks);
    json.at("job").get_to(r.job);
    json.at("software").get_to(r.software);
    json.at("started_ms").get_to(r.started_ms);
    json.at("ended_ms").get_to(r.ended_ms);
    json.at("closing_line").get_to(r.closing_line);
    r.counts = decode(json.at("counts"));
    for (const auto& [teacher, counts] : json.at("by_teacher").items())
      r.by_teacher[teacher] = decode(counts);
    json.at("tallies").get_to(r.tallies);
    json.at("seconds").get_to(r.seconds);
    json.at("cost_microusd").get_to(r.cost_microusd);
    json.at("ambiguous_microusd").get_to(r.ambiguous_microusd);
    return r;
  } catch (const nlohmann::json::exception&) {
    return std::nullopt;
  } catch (const Error&) {
    return std::nullopt;
  }
}

void publish_report(const std::filesystem::path& directory, const StageReport& report) {
  fs::publish(directory / kName, to_json(report));
}

std::string software() { return "evolvedirector " EVD_VERSION; }

}  // namespace evd::run
