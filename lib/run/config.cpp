#include "run/config.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include <toml++/toml.h>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/text.hpp"
#include "run/fields.hpp"

namespace evd::run {
namespace {

constexpr std::string_view kTeacherTable = "teacher";

// "configs/a.toml:12: "
std::string place(std::string_view where, const toml::node& node) {
  return std::string(where) + ":" + std::to_string(node.source().begin.line) + ": ";
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& known,
                         std::string_view all_are) {
  if (const auto best = nearest(word, known)) return " (did you mean " + *best + "?)";
  return " (" + std::string(all_are) + ": " + join(known, ", ") + ")";
}

std::vector<std::string> keys_of(const std::vector<Field>& fields, std::string_view table) {
  std::vector<std::string> keys;
  for (const auto& field : fields)
    if (field.table == table) keys.push_back(field.key);
  return keys;
}

std::vector<std::string> tables_of(const std::vector<Field>& fields) {
  std::vector<std::string> tables;
  for (const auto& field : fields)
    if (tables.empty() || tables.back() != field.table) tables.push_back(field.table);
  tables.emplace_back(kTeacherTable);
  return tables;
}

// The nearest known key: in the same table, or the same word in another one.
std::string suggest_key(const std::vector<Field>& fields, std::string_view table,
                        std::string_view key) {
  const auto keys = keys_of(fields, table);
  if (const auto best = nearest(key, keys))
    return " (did you mean " + std::string(table) + "." + *best + "?)";
  else
    for (const auto& field : fields)
      if (field.key == key) return " (did you mean " + field.path() + "?)";
  return did_you_mean(key, keys, "its keys");
}

Value value_of(const toml::node& node, const std::string& path, const std::string& where) {
  if (const auto* v = node.as_boolean()) return v->get();
  if (const auto* v = node.as_integer()) return v->get();
  if (const auto* v = node.as_floating_point()) return v->get();
  if (const auto* v = node.as_string()) return v->get();
  throw ConfigurationError(where + path +
                           " holds a table, list or date where one value is expected");
}

void load_table(const toml::table& table, const std::vector<Field>& fields, const std::string& name,
                std::string_view where) {
  for (const auto& [toml_key, node] : table) {
    const std::string key(toml_key.str());
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
      return field.table == name && field.key == key;
    });
    const std::string at = place(where, node);
    if (found == fields.end()) {
      throw ConfigurationError(at + "unknown key " + name + "." + key +
                               suggest_key(fields, name, key));
    }
    assign(*found, value_of(node, found->path(), at), at);
  }
}

void load_teachers(const toml::node& node, Config& config, std::string_view where) {
  const auto* list = node.as_array();
  if (list == nullptr) {
    throw ConfigurationError(place(where, node) +
                             "teacher is a list: write [[teacher]] once for each");
  }
  for (const auto& item : *list) {
    const auto* table = item.as_table();
    if (table == nullptr) throw ConfigurationError(place(where, item) + "write [[teacher]]");
    teacher::ServiceOptions service;
    const auto name = (*table)["name"].value<std::string>();
    load_table(*table, fields_of(service, name ? "teacher." + *name : "teacher"),
               name ? "teacher." + *name : "teacher", where);
    if (service.name.empty())
      throw ConfigurationError(place(where, item) +
                               "a [[teacher]] has no name (add name = \"...\")");
    config.teachers.push_back(std::move(service));
  }
}

toml::table parse_toml(std::string_view text, std::string_view where) {
  try {
    return toml::parse(text);
  } catch (const toml::parse_error& error) {
    throw ConfigurationError(std::string(where) + ":" + std::to_string(error.source().begin.line) +
                             ": not TOML: " + std::string(error.description()));
  }
}

void apply_one(Config& config, const std::string& setting) {
  const auto equals = setting.find('=');
  const std::string path(trim(setting.substr(0, equals)));
  if (equals == std::string::npos || path.empty())
    throw ConfigurationError("setting \"" + setting + "\" is not key=value, such as train.lr=1e-4");
  const auto value = trim(std::string_view(setting).substr(equals + 1));
  const auto dot = path.rfind('.');
  const std::string table = dot == std::string::npos ? "" : path.substr(0, dot);
  const std::string key = dot == std::string::npos ? path : path.substr(dot + 1);

  auto fields = fields_of(config);
  const auto tables = tables_of(fields);
  for (auto& service : config.teachers)
    for (auto& field : fields_of(service, "teacher." + service.name))
      fields.push_back(std::move(field));
  for (const auto& field : fields)
    if (field.path() == path) return assign_text(field, value, "");

  if (!keys_of(fields, table).empty())
    throw ConfigurationError("unknown key " + path + suggest_key(fields, table, key));
  std::vector<std::string> candidates;
  for (const auto& field : fields)
    if (table.empty() ? field.key == key : true) candidates.push_back(field.path());
  if (const auto best = nearest(path, candidates); best || candidates.size() == 1)
    throw ConfigurationError("unknown key " + path + " (did you mean " +
                             (best ? *best : candidates.front()) + "?)");
  if (table == kTeacherTable || table.starts_with("teacher.")) {
    std::vector<std::string> names;
    for (const auto& service : config.teachers) names.push_back(service.name);
    throw ConfigurationError("unknown key " + path + " (a teacher's key is teacher.<name>." + key +
                             "; teachers: " + (names.empty() ? "none" : join(names, ", ")) + ")");
  }
  throw ConfigurationError("unknown key " + path + did_you_mean(table, tables, "tables"));
}

}  // namespace

std::vector<double> TrainOptions::more_decays() const {
  std::vector<double> decays;
  for (const auto& word : split(more_emas, ' ')) {
    if (word.empty()) continue;
    std::size_t read = 0;
    double decay = -1;
    try {
      decay = std::stod(word, &read);
    } catch (const std::exception&) {  // told of below
    }
    if (read != word.size() || !(decay >= 0 && decay < 1)) {
      throw ConfigurationError(
          "train.more_emas: \"" + printable(word) +
          "\" is no decay (numbers from 0 to below 1, apart by spaces, such as "
          "\"0.999 0.99999\")");
    }
    if (decay == ema || std::find(decays.begin(), decays.end(), decay) != decays.end()) {
      throw ConfigurationError("train.more_emas: " + word + " is averaged with already");
    }
    decays.push_back(decay);
  }
  if (decays.size() > kMostMoreEmas) {
    throw ConfigurationError("train.more_emas: " + std::to_string(decays.size()) +
                             " decays, and no more than " + std::to_string(kMostMoreEmas) +
                             " are kept beside train.ema");
  }
  return decays;
}

Config parse_config(std::string_view toml, std::string_view where) {
  const auto document = parse_toml(toml, where);
  Config config;
  const auto fields = fields_of(config);
  const auto tables = tables_of(fields);
  for (const auto& [toml_key, node] : document) {
    const std::string name(toml_key.str());
    if (name == kTeacherTable) {
      load_teachers(node, config, where);
      continue;
    }
    if (std::find(tables.begin(), tables.end(), name) == tables.end()) {
      const bool is_table = node.is_table() || node.is_array_of_tables();
      throw ConfigurationError(place(where, node) + "unknown " + (is_table ? "table [" : "key ") +
                               name + (is_table ? "]" : "") + did_you_mean(name, tables, "tables"));
    }
    const auto* table = node.as_table();
    if (table == nullptr)
      throw ConfigurationError(place(where, node) + name + " is one table: write [" + name + "]");
    load_table(*table, fields, name, where);
  }
  check_config(config, where);
  return config;
}

void apply_settings(Config& config, const std::vector<std::string>& settings) {
  for (const auto& setting : settings) apply_one(config, setting);
  if (!settings.empty()) check_config(config, "settings");
}

std::vector<Setting> settings_of(const Config& config) {
  Config copy = config;
  std::vector<Setting> settings;
  const auto add = [&](const Field& field) {
    settings.push_back({field.path(), literal(field), field.info.scope});
  };
  for (const auto& field : fields_of(copy)) add(field);
  for (auto& service : copy.teachers)
    for (const auto& field : fields_of(service, "teacher." + service.name)) add(field);
  return settings;
}

std::vector<Change> changes(const Config& before, const Config& after) {
  std::map<std::string, Setting> old;
  for (auto& setting : settings_of(before)) old.emplace(setting.path, setting);
  std::vector<Change> result;
  for (const auto& setting : settings_of(after)) {
    const auto found = old.find(setting.path);
    if (found == old.end()) {
      result.push_back({setting.path, "", setting.value, setting.scope});
    } else {
      if (found->second.value != setting.value)
        result.push_back({setting.path, found->second.value, setting.value, setting.scope});
      old.erase(found);
    }
  }
  for (const auto& [path, setting] : old)
    result.push_back({path, setting.value, "", setting.scope});
  return result;
}

Sha256 science_digest(const Config& config) {
  std::vector<std::string> lines;
  for (const auto& setting : settings_of(config))
    if (setting.scope != Scope::operation) lines.push_back(setting.path + " = " + setting.value);
  std::sort(lines.begin(), lines.end());
  Sha256Stream stream;
  for (const auto& line : lines) stream.field(line);
  // The order of teachers is the order of tournaments and rows.
  for (const auto& service : config.teachers) stream.field(service.name);
  return stream.finish();
}

}  // namespace evd::run
