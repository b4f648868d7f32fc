#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "judge/answer_book.hpp"
#include "judge/picture_cache.hpp"
#include "run/embedded.hpp"
#include "run/program.hpp"
#include "teacher/caller.hpp"
#include "teacher/journal.hpp"
#include "teacher/spending.hpp"

namespace evd::judge {

/// Questions that an item still needs, given the answers there are; empty = it is through.
using Needs = std::function<std::vector<Ask>(std::int64_t item, const Lookup& lookup)>;

/// The asking of a stage: what is published already, the VLM, and the journals that every answer is
/// recorded in before it counts. One per rank; every member is collective unless it says otherwise.
class Interview {
 public:
  /// Takes the published answers about these samples.
  Interview(run::Context& context, const Rules& rules, const shard::Catalog& catalog,
            const std::unordered_set<SampleId>& samples);

  /// Asks everything that `items` items need; nothing is started when it is all recorded. Ranks
  /// share the items (run::Handout), each drives its own sockets. May be called again, once the
  /// answers have raised new questions. Throws Stopped on all ranks when a signal came to one.
  void ask(std::int64_t items, const Needs& needs);

  /// Everything recorded by now, over all lives and ranks. The Interview must outlive it.
  [[nodiscard]] Lookup recorded();
  [[nodiscard]] const teacher::Journals& journals();
  /// Frees the answers once everything is decided. On this rank.
  void forget_answers() { book_.clear(); }

  [[nodiscard]] bool budget_spent() const { return budget_spent_; }
  /// Services that any rank gave up on, with reason.
  [[nodiscard]] const std::vector<std::string>& services_down() const { return services_down_; }
  /// Of asking, without the start of the embedded services.
  [[nodiscard]] double seconds() const { return seconds_; }
  [[nodiscard]] double services_seconds() const { return services_s_; }
  /// When this rank announced its first request; 0 = none.
  [[nodiscard]] std::int64_t first_asked_ms() const { return first_asked_ms_; }

 private:
  // What an asking ended with on this rank.
  struct Heard {
    std::vector<std::string> files;
    std::vector<std::string> services_down;
    bool stopped = false;
    bool budget_spent = false;
  };
  [[nodiscard]] std::int64_t budget_left();
  [[nodiscard]] std::function<std::int64_t(int)> spent_elsewhere();
  [[nodiscard]] bool anything_missing(std::int64_t items, const Needs& needs);
  void use_journals();
  void start_services();
  [[nodiscard]] teacher::Caller::Setup caller_setup();
  void agree(const Heard& heard);

  run::Context& context_;
  const Rules& rules_;
  AnswerBook book_;
  PictureCache pictures_;
  std::optional<run::EmbeddedServices> services_;
  std::unique_ptr<teacher::Spending> spending_;  // on rank 0, since the last asking began
  std::shared_ptr<teacher::Journals> journals_;  // null = not read yet
  std::vector<std::string> files_;               // journals that this life wrote, all ranks
  std::vector<std::string> services_down_;
  bool budget_spent_ = false;
  int askings_ = 0;
  double seconds_ = 0;
  double services_s_ = 0;
  std::int64_t first_asked_ms_ = 0;
};

}  // namespace evd::judge
