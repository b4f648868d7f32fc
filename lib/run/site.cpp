#include "run/site.hpp"

#include <algorithm>
#include <regex>

#include <toml++/toml.h>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::run {
namespace {

const std::vector<std::string> kStageTables = {"harvest", "judge", "train", "evaluate", "score"};

const SiteKey* find_key(std::string_view name) {
  const auto& keys = site_keys();
  const auto found =
      std::find_if(keys.begin(), keys.end(), [&](const auto& key) { return key.name == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::string suggestion(std::string_view word, const std::vector<std::string>& known) {
  if (const auto best = nearest(word, known)) return " (did you mean " + *best + "?)";
  return "; there are: " + join(known, ", ");
}

// The job scripts read the file by sed: only lines that it understands may stand here.
void check_lines(std::string_view text, std::string_view where) {
  static const std::regex kLine(R"(\s*(#.*)?|[a-z_]+ *= *"[^"\\]*"\s*(#.*)?|\[[a-z]+\]\s*(#.*)?)");
  int number = 0;
  for (const auto& line : split(text, '\n')) {
    ++number;
    if (!std::regex_match(line, kLine))
      throw ConfigurationError(
          std::string(where) + ":" + std::to_string(number) +
          ": a site file holds lines key = \"value\" only (a number too: nodes = \"2\"), "
          "and [stage]");
  }
}

}  // namespace

const std::vector<SiteKey>& site_keys() {
  static const std::vector<SiteKey> kKeys = {
      {"prefix", "", "where the programs lie; evd writes it"},
      {"mpi", "", "what srun --mpi= is given [pmix]"},
      {"environment", "", "a file that every job sources first: modules, network interfaces"},
      {"max_restarts", "", "how often a job that stopped early (exit code 75) is requeued [20]"},
      {"partition", "--partition", "where the job runs"},
      {"account", "--account", "who is charged"},
      {"qos", "--qos", "quality of service"},
      {"reservation", "--reservation", "an allocation made in advance"},
      {"constraint", "--constraint", "features that the nodes must have"},
      {"nodes", "--nodes", "number of nodes"},
      {"ntasks", "--ntasks", "MPI ranks"},
      {"ntasks_per_node", "--ntasks-per-node", "MPI ranks of a node"},
      {"cpus_per_task", "--cpus-per-task", "cores of a rank"},
      {"mem", "--mem", "memory of a node"},
      {"mem_per_cpu", "--mem-per-cpu", "memory of a core"},
      {"gres", "--gres", "generic resources of a node, such as gpu:h100:4"},
      {"gpus_per_node", "--gpus-per-node", "GPUs of a node"},
      {"gpus_per_task", "--gpus-per-task", "GPUs of a rank"},
      {"time", "--time", "time limit; a job that reaches it saves and is requeued"},
      {"signal", "--signal", "what tells a job to save, and how long before the limit"},
      {"sbatch_options", "", "further options of sbatch, split at blanks"},
  };
  return kKeys;
}

Site Site::parse(std::string_view text, std::string_view where) {
  check_lines(text, where);
  toml::table document;
  try {
    document = toml::parse(text, where);
  } catch (const toml::parse_error& error) {
    throw ConfigurationError(std::string(where) + ":" + std::to_string(error.source().begin.line) +
                             ": " + std::string(error.description()));
  }
  std::vector<std::string> names;
  for (const auto& key : site_keys()) names.emplace_back(key.name);
  Site site;
  const auto take = [&](const std::string& table, std::string_view name, const toml::node& node) {
    const std::string at =
        std::string(where) + ":" + std::to_string(node.source().begin.line) + ": ";
    const auto* key = find_key(name);
    if (key == nullptr)
      throw ConfigurationError(at + "unknown key " + std::string(name) + suggestion(name, names));
    if (!table.empty() && key->flag.empty() && name != "sbatch_options")
      throw ConfigurationError(at + std::string(name) + " is for all stages: it stands above [" +
                               table + "]");
    site.tables_[table][std::string(name)] = node.value_or(std::string());
  };
  for (const auto& [name, node] : document) {
    const auto* table = node.as_table();
    if (table == nullptr) {
      take("", name.str(), node);
      continue;
    }
    if (std::find(kStageTables.begin(), kStageTables.end(), name.str()) == kStageTables.end())
      throw ConfigurationError(std::string(where) + ":" + std::to_string(node.source().begin.line) +
                               ": unknown stage [" + std::string(name.str()) + "]" +
                               suggestion(name.str(), kStageTables));
    for (const auto& [key, value] : *table) take(std::string(name.str()), key.str(), value);
  }
  return site;
}

std::string Site::value(std::string_view key) const {
  const auto table = tables_.find("");
  if (table == tables_.end()) return "";
  const auto found = table->second.find(key);
  return found == table->second.end() ? "" : found->second;
}

std::vector<std::string> Site::sbatch_options(Stage stage) const {
  Values merged;
  std::vector<std::string> order = {"", std::string(name(stage))};
  if (stage == Stage::score) order.insert(order.begin() + 1, "judge");
  for (const auto& table : order)
    if (const auto found = tables_.find(table); found != tables_.end())
      for (const auto& [key, value] : found->second) merged[key] = value;
  std::vector<std::string> options;
  for (const auto& key : site_keys())
    if (const auto found = merged.find(key.name);
        !key.flag.empty() && found != merged.end() && !found->second.empty())
      options.push_back(std::string(key.flag) + "=" + found->second);
  for (const auto& word : split(merged["sbatch_options"], ' '))
    if (!word.empty()) options.push_back(word);
  return options;
}

}  // namespace evd::run
