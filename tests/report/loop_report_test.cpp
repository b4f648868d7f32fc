#include <gtest/gtest.h>

#include "fs/file.hpp"
#include "report/browser.hpp"
#include "support/tiny_campaign.hpp"

namespace evd::report {
namespace {

TEST(ReportOfARealCampaign, ShowsEveryPartInABrowser) {
  const evd::test::TinyCampaign campaign;
  campaign.run(2);
  const auto measured =
      evd::test::run({{evd::test::program("evd-rehearsal"), "measure", campaign.path().string()}});
  ASSERT_EQ(measured.code, 0) << measured.err;
  ASSERT_EQ(campaign.evd("report").code, 0);

  const auto report = campaign.path() / "report.html";
  const std::string page = fs::read_text(report);
  EXPECT_EQ(page.find("class=\"problems\""), std::string::npos);
  for (const char* id : {"rounds", "learning", "gallery", "set", "teachers", "judge", "cost"})
    EXPECT_NE(page.find(std::string("<section id=\"") + id + "\""), std::string::npos) << id;
  EXPECT_NE(page.find("yardstick (independent of the judge)"), std::string::npos);

  const evd::test::TempDir folder;
  const auto seen = test::open_in_browser(report, folder.path(), 390, 844);
  EXPECT_GT(seen.pictures, 20);
  EXPECT_EQ(seen.broken, 0);
  EXPECT_FALSE(seen.overflows);
  EXPECT_TRUE(seen.is_quiet()) << seen.log;
}

}  // namespace
}  // namespace evd::report
