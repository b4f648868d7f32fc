#include <fstream>

#include <gtest/gtest.h>

#include "fs/file.hpp"
#include "report.hpp"
#include "report/synthetic_campaign.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::report {
namespace {

// Says in the document's title what a reader would notice: pictures that did not load, and whether
// the page is wider than the window.
constexpr const char* kProbe = R"html(<script>
addEventListener('load', () => {
  const all = [...document.images];
  const broken = all.filter(i => !(i.complete && i.naturalWidth > 0)).length;
  const wide = document.documentElement.scrollWidth > document.documentElement.clientWidth + 1;
  const charts = document.querySelectorAll('svg').length;
  document.title = `probe pictures=${all.length} broken=${broken} wide=${wide} charts=${charts}`;
});
</script>)html";

struct Seen {
  std::string title;
  std::string log;
};

Seen open_in_browser(const std::filesystem::path& folder, const std::filesystem::path& report,
                     const std::string& window) {
  std::string page = fs::read_text(report);
  page.insert(page.rfind("</body>"), kProbe);
  std::ofstream(folder / "probed.html") << page;
  const auto shown = evd::test::run(
      {{EVD_CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr",
        "--user-data-dir=" + (folder / "profile").string(), "--window-size=" + window,
        "--virtual-time-budget=4000", "--dump-dom", "file://" + (folder / "probed.html").string()},
       {},
       {},
       120});
  EXPECT_EQ(shown.code, 0) << shown.err;
  const auto begin = shown.out.find("<title>");
  const auto end = shown.out.find("</title>", begin);
  if (begin == std::string::npos || end == std::string::npos) return {"", shown.err};
  return {shown.out.substr(begin + 7, end - begin - 7), shown.err};
}

TEST(ReportInABrowser, AllPicturesLoadWithoutAnErrorOnPhoneAndDesk) {
  const evd::test::TempDir directory;
  const test::SyntheticCampaign campaign(directory / "c", {});
  const auto report = write_report(run::Campaign(directory / "c"));
  for (const char* window : {"390,844", "1280,900"}) {
    const Seen seen = open_in_browser(directory.path(), report, window);
    EXPECT_TRUE(seen.title.starts_with("probe pictures=")) << seen.title << seen.log;
    EXPECT_EQ(seen.title.find("pictures=0 "), std::string::npos) << seen.title;
    EXPECT_NE(seen.title.find(" broken=0 wide=false "), std::string::npos)
        << window << ": " << seen.title;
    EXPECT_EQ(seen.log.find("CONSOLE"), std::string::npos) << seen.log;
  }
}

TEST(ReportInABrowser, TheProbeSeesABrokenPicture) {
  const evd::test::TempDir directory;
  std::ofstream(directory / "r.html")
      << "<html><body><img src=\"data:image/png;base64,AAAA\"></body></html>";
  const Seen seen = open_in_browser(directory.path(), directory / "r.html", "800,600");
  EXPECT_NE(seen.title.find("pictures=1 broken=1"), std::string::npos) << seen.title << seen.log;
}

}  // namespace
}  // namespace evd::report
