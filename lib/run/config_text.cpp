#include <algorithm>

#include "core/text.hpp"
#include "run/config.hpp"
#include "run/fields.hpp"

namespace evd::run {
namespace {

// "optimizer steps of a round [steps; 1 .. 100000000; science]"
std::string comment(const Field& field) {
  std::vector<std::string> facts;
  if (!field.info.unit.empty()) facts.emplace_back(field.info.unit);
  if (const auto* slot = std::get_if<EnumSlot>(&field.slot);
      slot != nullptr && slot->names.size() > 1)
    facts.push_back(type_name(field));
  if (const auto range = range_text(field); !range.empty()) facts.push_back(range);
  facts.emplace_back(name(field.info.scope));
  const std::string help(field.info.help);
  return "# " + help + (help.empty() ? "[" : " [") + join(facts, "; ") + "]\n";
}

void print(std::string& text, const std::vector<Field>& fields) {
  for (const auto& field : fields)
    text += comment(field) + field.key + " = " + literal(field) + "\n";
}

std::string escape_markdown(std::string text) {
  for (std::size_t at = 0; (at = text.find('|', at)) != std::string::npos; at += 2)
    text.insert(at, "\\");
  return text;
}

std::string row(const Field& field, std::string_view table) {
  std::string allowed = range_text(field);
  if (const auto* slot = std::get_if<EnumSlot>(&field.slot); slot != nullptr) {
    for (const auto& choice : slot->names)
      allowed += (allowed.empty() ? "" : ", ") + std::string(choice);
  }
  return "| `" + std::string(table) + "." + field.key + "` | `" + literal(field) + "` | " +
         std::string(field.info.unit) + " | " + escape_markdown(allowed) + " | " +
         std::string(name(field.info.scope)) + " | " +
         escape_markdown(std::string(field.info.help)) + " |\n";
}

}  // namespace

std::string to_toml(const Config& config) {
  Config copy = config;
  std::string text;
  std::string table;
  for (const auto& field : fields_of(copy)) {
    if (field.table != table) text += (text.empty() ? "[" : "\n[") + field.table + "]\n";
    table = field.table;
    print(text, {field});
  }
  for (auto& service : copy.teachers) {
    text += "\n[[teacher]]\n";
    print(text, fields_of(service, "teacher"));
  }
  return text;
}

std::string config_markdown() {
  Config defaults;
  std::string text =
      "| key | default | unit | allowed | may change | meaning |\n"
      "|---|---|---|---|---|---|\n";
  for (const auto& field : fields_of(defaults)) text += row(field, field.table);
  teacher::ServiceOptions service;
  for (const auto& field : fields_of(service, "teacher.NAME")) text += row(field, field.table);
  return text;
}

}  // namespace evd::run
