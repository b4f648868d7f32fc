#include "report.hpp"

#include <array>
#include <set>

#include "core/clock.hpp"
#include "fs/publish.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

struct Part {
  const char* id;
  const char* title;
  std::string html;
};

std::string problems_block(const Source& source) {
  std::set<std::string> distinct(source.problems().begin(), source.problems().end());
  std::string items;
  for (const auto& problem : distinct) items += "<li>" + escape(problem) + "</li>";
  return items.empty() ? ""
                       : "<div class=\"problems\" role=\"note\"><p>Some files could not be read; "
                         "what they hold is missing below.</p><ul>" +
                             items + "</ul></div>\n";
}

}  // namespace

std::filesystem::path write_report(const run::Campaign& campaign) {
  Source source(campaign);
  const Data data = gather(source);
  PictureBook pictures(source);
  const std::array<Part, 9> parts = {{
      {"rounds", "Rounds", rounds_section(source, data)},
      {"learning", "Learning", learning_section(data)},
      {"gallery", "Gallery", gallery_section(source, data, pictures)},
      {"set", "Set", set_section(data)},
      {"lineage", "Lineage", lineage_section(data, pictures)},
      {"teachers", "Teachers", teachers_section(data)},
      {"judge", "Judge", judge_section(data)},
      {"cost", "Cost", cost_section(source, data)},
      {"configuration", "Configuration", configuration_section(source, data)},
  }};
  std::string navigation;
  std::string sections;
  for (const Part& part : parts) {
    if (part.html.empty()) continue;
    navigation += "<a href=\"#" + std::string(part.id) + "\">" + part.title + "</a>";
    sections += part.html;
  }
  const std::string title = data.config.campaign.name;
  const std::string body =
      "<header><h1>" + escape(title) + "</h1><p class=\"note\">Campaign " + campaign.id().hex() +
      ", written " + iso8601(utc_ms()) + "</p></header>\n" + problems_block(source) +
      headline(source, data) + "<nav aria-label=\"Sections\">" + navigation + "</nav>\n<main>\n" +
      (source.rounds() == 0 ? "<p class=\"lead\">No round has begun yet.</p>" : "") + sections +
      "</main>\n<footer>EvolveDirector. All tables behind this page are HDF5 files of the "
      "campaign; "
      "set.h5 of the newest judge stage is the one to open first.</footer>\n";
  const auto path = campaign.root() / "report.html";
  fs::publish(path, std::string_view(page(title + " – report", body)));
  return path;
}

}  // namespace evd::report
