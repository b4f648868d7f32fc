#include "report_html.hpp"

#include <cmath>

#include "core/text.hpp"
#include "report_style.hpp"

namespace evd::report {

std::string escape(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += static_cast<unsigned char>(c) < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
    }
  }
  return out;
}

std::string shortened(std::string_view text, std::size_t chars) {
  std::size_t seen = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool starts = (static_cast<unsigned char>(text[i]) & 0xC0U) != 0x80U;
    if (starts && seen++ == chars) return std::string(text.substr(0, i)) + "…";
  }
  return std::string(text);
}

std::string grouped(std::int64_t number) {
  std::string digits = std::to_string(number < 0 ? -number : number);
  for (std::size_t i = digits.size(); i > 3; i -= 3) digits.insert(i - 3, ",");
  return (number < 0 ? "−" : "") + digits;
}

std::string round_label(int round) { return round < 0 ? "start" : std::to_string(round); }

std::string percent(double share) {
  return std::isfinite(share) ? format("%.1f %%", 100 * share) : "–";
}

std::string table(const TableView& view) {
  std::string out = "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"" +
                    view.caption + "\"><table><caption>" + view.caption + "</caption><thead><tr>";
  for (const auto& head : view.heads) out += "<th scope=\"col\">" + head + "</th>";
  out += "</tr></thead><tbody>\n";
  for (const auto& row : view.rows) {
    out += "<tr>";
    for (std::size_t i = 0; i < row.size(); ++i)
      out += i == 0 ? "<th scope=\"row\">" + row[i] + "</th>" : "<td>" + row[i] + "</td>";
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string section(std::string_view id, std::string_view title, std::string_view lead,
                    std::string_view body) {
  std::string out = "<section id=\"" + std::string(id) + "\"><h2>" + std::string(title) + "</h2>";
  if (!lead.empty()) out += "<p class=\"lead\">" + std::string(lead) + "</p>";
  return out + "\n" + std::string(body) + "</section>\n";
}

std::string details(std::string_view summary, std::string_view body) {
  return "<details><summary>" + std::string(summary) + "</summary>\n" + std::string(body) +
         "</details>\n";
}

std::string page(std::string_view title, std::string_view body) {
  return "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
         "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
         "<meta name=\"color-scheme\" content=\"light dark\">\n"
         "<link rel=\"icon\" href=\"data:,\">\n<title>" +
         escape(title) + "</title>\n<style>\n" + std::string(kStyle) +
         "</style>\n</head>\n<body>\n" + std::string(body) + "</body>\n</html>\n";
}

}  // namespace evd::report
