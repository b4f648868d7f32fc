#include "evaluate/weights.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "evaluate/small_campaign.hpp"
#include "fs/file.hpp"
#include "support/temp_dir.hpp"

namespace evd::evaluate {
namespace {

class Weights : public testing::Test {
 protected:
  Weights() { test::make_campaign(root_, 4, 4); }

  [[nodiscard]] std::string complaint(int round) const {
    try {
      static_cast<void>(load_generator(run::Campaign(root_), config_, round));
    } catch (const DataError& error) {
      return error.what();
    }
    return "";
  }
  static void flip(const std::filesystem::path& file) {
    auto bytes = fs::read_text(file);
    bytes[bytes.size() - 5] ^= 1;  // within the numbers: names, shapes and lengths stay right
    evd::test::write_file(file, bytes);
  }

  evd::test::TempDir directory_;
  std::filesystem::path root_ = directory_ / "c";
  std::filesystem::path model_ = root_ / "rounds/0000/train/model.safetensors";
  run::Config config_ = test::small_config();
};

TEST_F(Weights, AFlippedByteIsNoticed) {
  EXPECT_EQ(complaint(0), "");
  flip(model_);
  const auto text = complaint(0);
  EXPECT_NE(text.find(model_.string() + ": damaged"), std::string::npos) << text;
  EXPECT_NE(text.find("evd-train " + root_.string() + " --round 0 --rerun"), std::string::npos)
      << text;
}

TEST_F(Weights, ATruncatedOrMissingFileIsNoticed) {
  std::filesystem::resize_file(model_, std::filesystem::file_size(model_) / 2);
  EXPECT_NE(complaint(0).find("damaged"), std::string::npos) << complaint(0);
  std::filesystem::remove(model_);
  EXPECT_NE(complaint(0).find("--rerun"), std::string::npos) << complaint(0);
}

TEST_F(Weights, AnUnfinishedRoundSaysHowToTrainIt) {
  const auto text = complaint(3);
  EXPECT_NE(text.find("evd-train " + root_.string() + " --round 3)"), std::string::npos) << text;
}

TEST_F(Weights, AStartFileIsTheOneThatWasNamed) {
  std::filesystem::copy(model_, root_ / "base.safetensors");
  config_.base.init = run::BaseInit::file;
  config_.base.file = "base.safetensors";
  config_.base.sha256 = fs::sha256_file(model_).hex();
  EXPECT_EQ(complaint(run::kStartRound), "");
  flip(root_ / "base.safetensors");
  const auto text = complaint(run::kStartRound);
  EXPECT_NE(text.find("evd set " + root_.string() + " base.file=PATH"), std::string::npos) << text;
}

}  // namespace
}  // namespace evd::evaluate
