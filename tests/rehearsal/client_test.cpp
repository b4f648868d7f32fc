#include <gtest/gtest.h>

#include "services.hpp"

namespace evd::rehearsal {
namespace {

TEST(OfficialClient, DrawsAndJudges) {
  const test::TempDir directory;
  Services services(directory, {"--malformed-rate", "0", "--judge-noise", "0"});
  const auto script = test::source_directory() / "tests" / "rehearsal" / "client.py";
  const auto finished =
      test::run({.arguments = {test::test_python(), "-W", "error", script.string(),
                               "http://127.0.0.1:" + std::to_string(services.port()) + "/v1"},
                 .environment = {{"OPENAI_API_KEY", Services::kToken}, {"NO_PROXY", "127.0.0.1"}}});
  EXPECT_EQ(finished.code, 0) << finished.story();
  EXPECT_NE(finished.out.find("all checked"), std::string::npos) << finished.story();
}

}  // namespace
}  // namespace evd::rehearsal
