#include "run/probe_report.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::run {
namespace {

using Json = nlohmann::ordered_json;
constexpr std::string_view kMark = "evd-probe-report ";

template <class T>
Json json_of(const std::optional<T>& value) {
  return value ? Json(*value) : Json(nullptr);
}

template <class T>
void get(const Json& json, const char* key, std::optional<T>& value) {
  const auto& found = json.at(key);
  value = found.is_null() ? std::nullopt : std::optional<T>(found.get<T>());
}

Json json_of(const RankFacts& f) {
  return {{"rank", f.rank},
          {"node_rank", f.node_rank},
          {"node_size", f.node_size},
          {"host", f.host},
          {"cpus", f.cpus},
          {"cpu_quota", json_of(f.cpu_quota)},
          {"memory_bytes", json_of(f.memory_bytes)},
          {"memory_limit_bytes", json_of(f.memory_limit_bytes)},
          {"gpus_present", f.gpus_present},
          {"gpus_usable", f.gpus_usable},
          {"cuda_visible_devices", json_of(f.cuda_visible_devices)},
          {"slurm_ntasks", json_of(f.slurm_ntasks)},
          {"slurm_cpus_per_task", json_of(f.slurm_cpus_per_task)},
          {"clock_s", f.clock_s},
          {"trouble", f.trouble},
          {"new_file", json_of(f.new_file)},
          {"looked_up_file", json_of(f.looked_up_file)},
          {"replaced_file", json_of(f.replaced_file)},
          {"link_won", f.link_won}};
}

RankFacts rank_facts_of(const Json& json) {
  RankFacts f;
  json.at("rank").get_to(f.rank);
  json.at("node_rank").get_to(f.node_rank);
  json.at("node_size").get_to(f.node_size);
  json.at("host").get_to(f.host);
  json.at("cpus").get_to(f.cpus);
  get(json, "cpu_quota", f.cpu_quota);
  get(json, "memory_bytes", f.memory_bytes);
  get(json, "memory_limit_bytes", f.memory_limit_bytes);
  json.at("gpus_present").get_to(f.gpus_present);
  json.at("gpus_usable").get_to(f.gpus_usable);
  get(json, "cuda_visible_devices", f.cuda_visible_devices);
  get(json, "slurm_ntasks", f.slurm_ntasks);
  get(json, "slurm_cpus_per_task", f.slurm_cpus_per_task);
  json.at("clock_s").get_to(f.clock_s);
  json.at("trouble").get_to(f.trouble);
  get(json, "new_file", f.new_file);
  get(json, "looked_up_file", f.looked_up_file);
  get(json, "replaced_file", f.replaced_file);
  json.at("link_won").get_to(f.link_won);
  return f;
}

Json json_of(const DirectoryFacts& d) {
  return {{"path", d.path},
          {"trouble", d.trouble},
          {"file_system", d.file_system},
          {"free_bytes", d.free_bytes},
          {"free_inodes", json_of(d.free_inodes)},
          {"mode", d.mode},
          {"group", d.group},
          {"publish_s", d.publish_s},
          {"own_files", json_of(d.own_files)},
          {"flock", d.flock},
          {"fcntl_lock", d.fcntl_lock}};
}

DirectoryFacts directory_facts_of(const Json& json) {
  DirectoryFacts d;
  json.at("path").get_to(d.path);
  json.at("trouble").get_to(d.trouble);
  json.at("file_system").get_to(d.file_system);
  json.at("free_bytes").get_to(d.free_bytes);
  get(json, "free_inodes", d.free_inodes);
  json.at("mode").get_to(d.mode);
  json.at("group").get_to(d.group);
  json.at("publish_s").get_to(d.publish_s);
  get(json, "own_files", d.own_files);
  json.at("flock").get_to(d.flock);
  json.at("fcntl_lock").get_to(d.fcntl_lock);
  return d;
}

std::string dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

std::string to_json(const RankFacts& facts) { return dump(json_of(facts)); }

RankFacts parse_rank_facts(std::string_view json) {
  try {
    return rank_facts_of(Json::parse(json));
  } catch (const nlohmann::json::exception& error) {
    throw DataError(std::string("what a rank found out: ") + error.what());
  }
}

std::string to_line(const ProbeReport& report) {
  Json json = {{"version", ProbeReport::kVersion},
               {"software", report.software},
               {"world", report.world},
               {"launched", json_of(report.launched)},
               {"directory", json_of(report.directory)},
               {"ranks", Json::array()}};
  for (const auto& rank : report.ranks) json["ranks"].push_back(json_of(rank));
  return std::string(kMark) + dump(json) + "\n";
}

std::vector<ProbeReport> find_reports(std::string_view output) {
  std::vector<ProbeReport> found;
  for (const auto& line : split(output, '\n')) {
    // A launcher may write something before it (`0: ` of srun --label).
    const auto at = line.find(kMark);
    if (at == std::string::npos) continue;
    try {
      const auto json = Json::parse(std::string_view(line).substr(at + kMark.size()));
      if (json.at("version") != ProbeReport::kVersion) continue;
      ProbeReport report;
      json.at("software").get_to(report.software);
      json.at("world").get_to(report.world);
      get(json, "launched", report.launched);
      report.directory = directory_facts_of(json.at("directory"));
      for (const auto& rank : json.at("ranks")) report.ranks.push_back(rank_facts_of(rank));
      found.push_back(std::move(report));
    } catch (const nlohmann::json::exception&) {
    }
  }
  return found;
}

}  // namespace evd::run
