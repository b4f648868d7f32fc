#include <fstream>

#include <gtest/gtest.h>

#include "fs/file.hpp"
#include "report.hpp"
#include "report/synthetic_campaign.hpp"
#include "support/temp_dir.hpp"

namespace evd::report {
namespace {

using test::SyntheticCampaign;

std::string report_of(const std::filesystem::path& root) {
  return fs::read_text(write_report(run::Campaign(root)));
}

bool has(const std::string& page, const std::string& piece) {
  return page.find(piece) != std::string::npos;
}

TEST(Report, HoldsEverySectionOfAWholeCampaign) {
  const evd::test::TempDir directory;
  const SyntheticCampaign campaign(directory / "c", {});
  const std::string page = report_of(directory / "c");
  for (const char* id : {"rounds", "learning", "set", "teachers", "judge", "cost", "gallery",
                         "lineage", "configuration"})
    EXPECT_TRUE(has(page, std::string("<section id=\"") + id + "\"")) << id;
  EXPECT_FALSE(has(page, "class=\"problems\""));
  EXPECT_TRUE(has(page, "Alignment: written text"));
  EXPECT_TRUE(has(page, "Base against each teacher"));
}

TEST(Report, NamesNoOtherResourceAndHoldsNoScript) {
  const evd::test::TempDir directory;
  const SyntheticCampaign campaign(directory / "c", {});
  const std::string page = report_of(directory / "c");
  for (const char* outside : {"http://", "https://", "//cdn", "@import", "<script", "url("})
    EXPECT_FALSE(has(page, outside)) << outside;
  EXPECT_TRUE(has(page, "&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt; &amp; &quot;two&quot;"));
  EXPECT_LT(page.size(), 16U << 20);
}

TEST(Report, ACampaignOfAnyAgeHasAPage) {
  for (const auto& shape : {SyntheticCampaign::Shape{0, false, false},
                            {1, false, false},
                            {1, false, true},
                            {2, true, true}}) {
    const evd::test::TempDir directory;
    const SyntheticCampaign campaign(directory / "c", shape);
    const std::string page = report_of(directory / "c");
    EXPECT_TRUE(has(page, "</html>"));
    EXPECT_EQ(has(page, "No round has begun yet"), shape.rounds == 0);
    for (const char* number : {"\"nan", ">nan", " nan ", "-nan", "Lnan", "\"inf", ">inf"})
      EXPECT_FALSE(has(page, number)) << number;
  }
}

TEST(Report, ImportedPicturesAreInTheGallery) {
  for (const bool imported : {false, true}) {
    const evd::test::TempDir directory;
    const SyntheticCampaign campaign(directory / "c", {.rounds = 1, .imported = imported});
    const std::string page = report_of(directory / "c");
    EXPECT_EQ(has(page, "alt=\"imported\""), imported);
    EXPECT_TRUE(has(page, "alt=\"weft\""));
  }
}

TEST(Report, DamagedFilesAreNamedAndTheRestIsShown) {
  const evd::test::TempDir directory;
  const SyntheticCampaign campaign(directory / "c", {});
  const auto pairs = directory / "c" / "rounds" / "0001" / "judge" / "pairs.h5";
  std::filesystem::resize_file(pairs, std::filesystem::file_size(pairs) / 2);
  const auto images = directory / "c" / "rounds" / "0000" / "harvest" / "images-00000.h5";
  std::filesystem::resize_file(images, 100);
  const std::string page = report_of(directory / "c");
  EXPECT_TRUE(has(page, "class=\"problems\""));
  EXPECT_TRUE(has(page, "pairs.h5"));
  EXPECT_TRUE(has(page, "images-00000.h5"));
  EXPECT_TRUE(has(page, "<section id=\"learning\""));
  EXPECT_TRUE(has(page, "<section id=\"gallery\""));
}

TEST(Report, TheSameCampaignGivesTheSamePageButForItsDate) {
  const evd::test::TempDir directory;
  const SyntheticCampaign campaign(directory / "c", {});
  const auto undated = [](std::string page) { return page.erase(page.find(", written "), 32); };
  EXPECT_EQ(undated(report_of(directory / "c")), undated(report_of(directory / "c")));
}

}  // namespace
}  // namespace evd::report
