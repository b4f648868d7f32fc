// Event files, read back by TensorBoard's own reader.
#include "run/tensorboard.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/text.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

nlohmann::json read_by_tensorboard(const std::filesystem::path& folder) {
  const auto script = test::source_directory() / "tests/run/read_events.py";
  const auto done =
      test::run({{test::test_python(), "-W", "ignore", script.string(), folder.string()}});
  EXPECT_EQ(done.code, 0) << done.story();
  return nlohmann::json::parse(done.out, nullptr, false);
}

TEST(Crc32c, KnownAnswers) {
  const auto of = [](std::string_view text) { return crc32c(std::as_bytes(std::span(text))); };
  EXPECT_EQ(of("123456789"), 0xe3069283U);  // RFC 3720's polynomial
  EXPECT_EQ(of(std::string(32, '\0')), 0x8a9136aaU);
  EXPECT_EQ(of(""), 0U);
}

TEST(TensorBoard, ReadsScalarsAndImages) {
  const test::TempDir folder;
  const Log log("train", 0);
  const std::string png = "\x89PNG not looked at here";
  EventFile events(folder / "train", "job-0", 0, log);
  for (int step = 0; step < 300; ++step) events.scalar("loss/all", step, 1.0 / (step + 1));
  events.scalar("a tag with blanks", 1'000'000'000'000, -3.5);
  events.image("validation/pictures", 200, {32, 16, std::as_bytes(std::span(png))});
  events.flush();
  const auto read = read_by_tensorboard(folder / "train");
  const auto& loss = read["scalars"]["loss/all"];
  ASSERT_EQ(loss.size(), 300U);
  for (int step = 0; step < 300; ++step) {
    EXPECT_EQ(loss[static_cast<std::size_t>(step)][0], step);
    EXPECT_FLOAT_EQ(loss[static_cast<std::size_t>(step)][1].get<float>(), 1.0F / (step + 1));
  }
  EXPECT_EQ(read["scalars"]["a tag with blanks"][0][0], 1'000'000'000'000);
  EXPECT_FLOAT_EQ(read["scalars"]["a tag with blanks"][0][1].get<float>(), -3.5F);
  const auto& image = read["images"]["validation/pictures"];
  ASSERT_EQ(image.size(), 1U);
  EXPECT_EQ(image[0][0], 200);
  EXPECT_EQ(image[0][1], 32);
  EXPECT_EQ(image[0][2], 16);
  std::string hex;
  for (const unsigned char byte : png) hex += format("%02x", byte);
  EXPECT_EQ(image[0][3], hex);
}

TEST(TensorBoard, ALifeThatGoesOnDoesNotDoubleTheCurve) {
  const test::TempDir folder;
  const Log log("train", 0);
  {
    EventFile first(folder / "train", "job-0", 0, log);
    for (int step = 0; step < 12; ++step) first.scalar("loss", step, 1);
    first.flush();
  }
  EventFile second(folder / "train", "job-1", 8, log);  // the last checkpoint was before step 8
  for (int step = 8; step < 15; ++step) second.scalar("loss", step, 2);
  second.flush();
  const auto loss = read_by_tensorboard(folder / "train")["scalars"]["loss"];
  ASSERT_EQ(loss.size(), 15U);
  for (std::size_t step = 0; step < 15; ++step) {
    EXPECT_EQ(loss[step][0], step);
    EXPECT_EQ(loss[step][1], step < 8 ? 1 : 2);
  }
}

TEST(TensorBoard, AFolderThatCannotBeMadeCostsNothing) {
  const test::TempDir folder;
  test::write_file(folder / "taken", "a file");
  testing::internal::CaptureStderr();
  const Log log("train", 0);
  EventFile events(folder / "taken" / "train", "job-0", 0, log);
  events.scalar("loss", 1, 1);
  events.flush();
  EXPECT_NE(testing::internal::GetCapturedStderr().find("TensorBoard's curves are not written"),
            std::string::npos);
}

}  // namespace
}  // namespace evd::run
