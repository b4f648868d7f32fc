#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace evd::report {

/// Text for an HTML body or a double-quoted attribute: &, <, >, " and ' are replaced, and so are
/// control characters.
[[nodiscard]] std::string escape(std::string_view text);
/// At most `chars` code points, with an ellipsis when cut; not escaped.
[[nodiscard]] std::string shortened(std::string_view text, std::size_t chars);

/// "12,345".
[[nodiscard]] std::string grouped(std::int64_t number);
/// "start", "0", "1", ...
[[nodiscard]] std::string round_label(int round);
/// "63.4 %".
[[nodiscard]] std::string percent(double share);

/// A table of cells that are HTML already, in a box that scrolls sideways on narrow screens. The
/// first column is the row's head.
struct TableView {
  std::string caption;  ///< read by screen readers; HTML
  std::vector<std::string> heads;
  std::vector<std::vector<std::string>> rows;
};
[[nodiscard]] std::string table(const TableView& view);

/// A page section with an anchor.
[[nodiscard]] std::string section(std::string_view id, std::string_view title,
                                  std::string_view lead, std::string_view body);
/// A block that opens on demand.
[[nodiscard]] std::string details(std::string_view summary, std::string_view body);

/// The whole document. It names no other resource, so that it opens anywhere.
[[nodiscard]] std::string page(std::string_view title, std::string_view body);

}  // namespace evd::report
