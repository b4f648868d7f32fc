#include "report/browser.hpp"

#include <cstdio>

#include <gtest/gtest.h>

#include "fs/file.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::report::test {
namespace {

// Writes what a reader would notice into the document's title.
constexpr const char* kProbe = R"html(<script>
addEventListener('load', () => {
  const all = [...document.images];
  const broken = all.filter(i => !(i.complete && i.naturalWidth > 0)).length;
  const page = document.documentElement;
  const wide = page.scrollWidth > page.clientWidth + 1 ? 1 : 0;
  const charts = document.querySelectorAll('figure svg').length;
  document.title = `probe ${all.length} ${broken} ${charts} ${wide}`;
});
</script>)html";

}  // namespace

Seen open_in_browser(const std::filesystem::path& page, const std::filesystem::path& folder,
                     int width, int height) {
  std::string text = fs::read_text(page);
  text.insert(text.rfind("</body>"), kProbe);
  evd::test::write_file(folder / "probed.html", text);
  const auto shown = evd::test::run(
      {.arguments = {EVD_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu",
                     "--enable-logging=stderr", "--user-data-dir=" + (folder / "profile").string(),
                     "--window-size=" + std::to_string(width) + "," + std::to_string(height),
                     "--virtual-time-budget=4000", "--dump-dom",
                     "file://" + (folder / "probed.html").string()}});
  EXPECT_EQ(shown.code, 0) << shown.err;
  Seen seen;
  seen.log = shown.err;
  int wide = 1;
  const auto title = shown.out.find("<title>probe ");
  EXPECT_NE(title, std::string::npos) << shown.out.substr(0, 500) << shown.err;
  if (title == std::string::npos) return seen;
  EXPECT_EQ(std::sscanf(shown.out.c_str() + title, "<title>probe %d %d %d %d", &seen.pictures,
                        &seen.broken, &seen.charts, &wide),
            4);
  seen.overflows = wide != 0;
  return seen;
}

}  // namespace evd::report::test
