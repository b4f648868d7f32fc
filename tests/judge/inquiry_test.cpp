#include "judge/inquiry.hpp"

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace evd::judge {
namespace {

// An answer that was paid for stays good when the same server is asked in another form.
TEST(Inquiry, ADialectChangesTheFormAndNotTheKey) {
  const auto sealed = [](const std::vector<std::string>& settings) {
    run::Config config;
    run::apply_settings(config, settings);
    Ask ask{.question = vlm::mutation("a red cat", vlm::LengthStyle::dense, 0)};
    seal(ask, rules_of(config, 0));
    return ask;
  };
  const Ask usual = sealed({});
  const Ask plain = sealed({"vlm.token_limit=max_tokens", "vlm.structured=none"});
  EXPECT_EQ(usual.key, plain.key);
  const auto body = nlohmann::json::parse(vlm::body(plain.question, "m", {}));
  EXPECT_TRUE(body.contains("max_tokens"));
  EXPECT_FALSE(body.contains("max_completion_tokens"));
  EXPECT_FALSE(body.contains("response_format"));
}

}  // namespace
}  // namespace evd::judge
