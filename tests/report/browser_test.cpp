#include "report/browser.hpp"

#include <gtest/gtest.h>

#include "report.hpp"
#include "report/synthetic_campaign.hpp"
#include "support/temp_dir.hpp"

namespace evd::report {
namespace {

TEST(ReportInABrowser, AllPicturesLoadWithoutAnErrorOnPhoneAndDesk) {
  const evd::test::TempDir directory;
  const test::SyntheticCampaign campaign(directory / "c", {});
  const auto report = write_report(run::Campaign(directory / "c"));
  for (const auto& [width, height] : {std::pair{390, 844}, {1280, 900}}) {
    const auto seen = test::open_in_browser(report, directory.path(), width, height);
    EXPECT_GT(seen.pictures, 100);
    EXPECT_EQ(seen.broken, 0);
    EXPECT_GT(seen.charts, 15);
    EXPECT_FALSE(seen.overflows) << width;
    EXPECT_TRUE(seen.is_quiet()) << seen.log;
  }
}

TEST(ReportInABrowser, TheProbeSeesABrokenPictureAndAnError) {
  const evd::test::TempDir directory;
  evd::test::write_file(directory / "r.html",
                        "<html><head><title></title></head><body><div style='width:3000px'>x</div>"
                        "<img src=\"data:image/png;base64,AAAA\">"
                        "<script>missing.call()</script></body></html>");
  const auto seen = test::open_in_browser(directory / "r.html", directory.path(), 800, 600);
  EXPECT_EQ(seen.pictures, 1);
  EXPECT_EQ(seen.broken, 1);
  EXPECT_TRUE(seen.overflows);
  EXPECT_FALSE(seen.is_quiet());
}

}  // namespace
}  // namespace evd::report
