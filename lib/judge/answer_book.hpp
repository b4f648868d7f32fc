#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <vector>

#include "judge/inquiry.hpp"
#include "teacher/journal.hpp"
#include "teacher/segment.hpp"

namespace evd::judge {

/// The reply to `ask` as a row of answers.h5: the text made valid UTF-8, the verdict read.
/// Decisions use rows only, so that they come out equal from a fresh reply and from a published
/// one.
[[nodiscard]] shard::Answer answer_row(const Ask& ask, const teacher::Reply& reply,
                                       const Rules& rules);

/// Malformed bytes replaced by U+FFFD.
[[nodiscard]] std::string made_utf8(std::string_view text);

/// Everything that the VLM has answered already, by request key.
class AnswerBook {
 public:
  explicit AnswerBook(const Rules& rules) : rules_(rules) {}

  /// Takes the rows of a published answers.h5 about these samples. Rows of another result
  /// (`carried`) were paid there and cost nothing here.
  enum class Origin { own, carried };
  void take(const std::filesystem::path& answers_file, const std::unordered_set<SampleId>& samples,
            Origin origin);
  /// Reads journals for keys that no published row answers.
  void use(std::shared_ptr<const teacher::Journals> journals) { journals_ = std::move(journals); }
  /// While on, earlier failures count as not asked (--rerun=failed).
  void pass_over_failures(bool on) { pass_over_failures_ = on; }
  /// Files answers as they come.
  void put(const Ask& ask, const teacher::Reply& reply);
  void forget(const RequestKey& key) { live_.erase(key); }
  /// Frees everything: what is asked for from now on is read from the journals.
  void clear() {
    published_.clear();
    live_.clear();
  }

  /// Published answers and refusals first, then live ones and journals, then published failures:
  /// what failed may have been asked again since. Pointers stay valid until forget(). Null = none.
  [[nodiscard]] const shard::Answer* find(const Ask& ask);
  /// As a Lookup; the book must outlive it.
  [[nodiscard]] Lookup lookup() {
    return [this](const Ask& ask) { return find(ask); };
  }

 private:
  [[nodiscard]] std::optional<teacher::Reply> recorded_reply(const RequestKey& key);

  const Rules& rules_;
  bool pass_over_failures_ = false;
  std::unordered_map<RequestKey, shard::Answer> published_;
  std::unordered_map<RequestKey, shard::Answer> live_;  // replies of this life, and journals read
  std::shared_ptr<const teacher::Journals> journals_;
  teacher::ReplyReader reader_;
};

}  // namespace evd::judge
