#pragma once

#include <filesystem>
#include <string>

namespace evd::report::test {

/// A page as a reader of a window of this size sees it.
struct Seen {
  int pictures = -1;
  int broken = -1;  ///< pictures that did not load
  int charts = -1;
  bool overflows = true;  ///< the page is wider than the window
  std::string log;        ///< the browser's, console included
  [[nodiscard]] bool is_quiet() const { return log.find("CONSOLE") == std::string::npos; }
};

/// Opens a copy of `page` with a probe in it in headless Chromium; `folder` takes that copy and the
/// browser's profile. Fails the test when the browser does.
[[nodiscard]] Seen open_in_browser(const std::filesystem::path& page,
                                   const std::filesystem::path& folder, int width, int height);

}  // namespace evd::report::test
