#pragma once

#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "core/clock.hpp"
#include "http/scripted_server.hpp"
#include "support/temp_dir.hpp"
#include "teacher/caller.hpp"
#include "teacher/journal.hpp"

namespace evd::teacher::test {

/// Permits without other ranks: grants what fits, counts what is under way.
class LocalPermits final : public Permits {
 public:
  void ask(int service, std::int64_t cost, std::function<void(bool)> granted) override;
  void done(int service, std::int64_t reserved, std::int64_t paid, bool throttled) override;
  /// Answers the asks; what run::Handout::step does.
  void serve();

  std::int64_t free_microusd = 1'000'000'000;
  std::int64_t paid_microusd = 0;
  int in_flight = 0;
  int throttled = 0;

 private:
  struct Ask {
    std::int64_t cost;
    std::function<void(bool)> granted;
  };
  std::deque<Ask> asks_;
};

/// A campaign's calls directory, and what one life after the other does with a service.
class Exchange {
 public:
  ServiceOptions service;
  Caller::Setup setup;
  LocalPermits permits;

  /// A service with wire openai_images at `base_url`, quick time limits, price 0.04 USD.
  explicit Exchange(const std::string& base_url);
  /// One life: asks these keys and drives until all have replied. Names are turned into keys.
  std::map<std::string, Reply> life(const std::vector<std::string>& names,
                                    const std::function<void(Caller&)>& each_step = {},
                                    Recall recall = Recall::all);
  [[nodiscard]] std::filesystem::path calls() const { return directory_ / "calls"; }
  [[nodiscard]] Journals journals() const { return Journals(calls()); }
  [[nodiscard]] std::vector<shard::Call> rows() const { return journals().calls("harvest", 0); }
  [[nodiscard]] const evd::test::TempDir& directory() const { return directory_; }
  /// Lines of services_down() of the last life.
  std::vector<std::string> down;
  /// What its journal met.
  Caller::JournalFailure journal_failure;

  [[nodiscard]] static RequestKey key(const std::string& name);
  /// The name in a body that life() has sent.
  [[nodiscard]] static std::string name_in(const std::string& body);

 private:
  evd::test::TempDir directory_;
  int lives_ = 0;
};

/// A PNG of about 3 MB, which nothing makes smaller.
[[nodiscard]] std::vector<std::byte> large_picture();
/// A small PNG, and an answer that holds it.
[[nodiscard]] std::vector<std::byte> picture();
[[nodiscard]] evd::test::Scripted picture_reply();

}  // namespace evd::teacher::test
