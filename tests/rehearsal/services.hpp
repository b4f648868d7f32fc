#pragma once

#include <memory>
#include <string>
#include <vector>

#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::rehearsal {

/// `evd-rehearsal serve` on a free port of this machine, with a token and a ledger of its own.
class Services {
 public:
  static constexpr const char* kToken = "a-token-of-the-test";

  /// `arguments` are flags of serve; `life` names the ledger file in `directory`.
  Services(const test::TempDir& directory, const std::vector<std::string>& arguments,
           const std::string& life = "1");

  [[nodiscard]] int port() const { return port_; }
  [[nodiscard]] test::Process& process() { return *process_; }
  /// SIGKILL, and waits for the end.
  void kill();

 private:
  std::unique_ptr<test::Process> process_;
  int port_ = 0;
};

/// Body of a picture request; `extra` makes otherwise equal bodies differ.
[[nodiscard]] std::string picture_body(const std::string& model, const std::string& prompt,
                                       int extra = 0);
/// Body of a question of this schema about base64 PNGs.
[[nodiscard]] std::string question_body(const std::string& schema, const std::string& text,
                                        const std::vector<std::string>& pictures, int extra = 0);

}  // namespace evd::rehearsal
