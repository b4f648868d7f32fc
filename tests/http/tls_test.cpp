#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "core/clock.hpp"
#include "http/loop.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::http {
namespace {

/// `openssl s_server` with a certificate for `name` that it has signed itself.
class TlsServer {
 public:
  explicit TlsServer(const std::string& name) {
    const auto made =
        test::run({{"openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                    "-subj", "/CN=" + name, "-addext", "subjectAltName=" + name, "-keyout", key(),
                    "-out", certificate()}});
    EXPECT_EQ(made.code, 0) << made.story();
    process_.emplace(test::Command{{"openssl", "s_server", "-accept", "127.0.0.1:0", "-key", key(),
                                    "-cert", certificate(), "-www"}});
    EXPECT_TRUE(process_->wait_for("ACCEPT 127.0.0.1:")) << process_->err_so_far();
    const std::string out = process_->out_so_far();
    port_ = std::stoi(out.substr(out.find("ACCEPT 127.0.0.1:") + 17));
  }
  ~TlsServer() { process_->kill_tree(); }

  [[nodiscard]] std::string certificate() const { return (directory_ / "cert.pem").string(); }
  [[nodiscard]] std::string url() const {
    return "https://127.0.0.1:" + std::to_string(port_) + "/";
  }

 private:
  [[nodiscard]] std::string key() const { return (directory_ / "key.pem").string(); }
  test::TempDir directory_;
  std::optional<test::Process> process_;
  int port_ = 0;
};

Response fetch(Loop& loop, const std::string& url, double first_byte_s = 20) {
  std::optional<Response> answer;
  loop.post({.url = url,
             .body = "{}",
             .limits = {.connect_s = 20, .first_byte_s = first_byte_s, .total_s = 20}},
            [&](Response response) { answer = std::move(response); });
  for (const double until_s = monotonic_s() + 30; !answer && monotonic_s() < until_s;) loop.step(5);
  return answer.value_or(Response{});
}

TEST(Tls, AStrangersCertificateIsNotAccepted) {
  const TlsServer server("IP:127.0.0.1");
  Loop loop;
  const auto response = fetch(loop, server.url());
  EXPECT_EQ(response.fault, Fault::tls) << response.reason;
  EXPECT_FALSE(response.sent);
}

TEST(Tls, ACertificateForAnotherNameIsNotAccepted) {
  const TlsServer server("DNS:images.example");
  Loop loop({.ca_file = server.certificate()});
  const auto response = fetch(loop, server.url());
  EXPECT_EQ(response.fault, Fault::tls) << response.reason;
  EXPECT_FALSE(response.sent);
}

TEST(Tls, ATrustedCertificateOfTheRightNameIsAccepted) {
  const TlsServer server("IP:127.0.0.1");
  Loop loop({.ca_file = server.certificate()});
  // s_server answers nothing to a POST, so the limit is waited for; what counts is that it was
  // sent.
  const auto response = fetch(loop, server.url(), 3);
  EXPECT_TRUE(response.sent || response.status == 200) << response.reason;
  EXPECT_NE(response.fault, Fault::tls) << response.reason;
}

}  // namespace
}  // namespace evd::http
