#include "judge/answer_book.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shard/table.hpp"
#include "vlm/answers.hpp"
#include "vlm/prose.hpp"

namespace evd::judge {
namespace {

using shard::Outcome;

std::string text_of(const shard::Blob& payload) {
  return made_utf8({reinterpret_cast<const char*>(payload.data()), payload.size()});
}

bool is_verdict(const Ask& ask) { return ask.question.kind == vlm::Template::verdict; }

}  // namespace

std::string made_utf8(std::string_view text) {
  if (is_utf8(text)) return std::string(text);
  std::string valid;
  while (!text.empty()) {
    std::size_t used = 0;
    for (std::size_t size = 1; size <= std::min<std::size_t>(4, text.size()) && used == 0; ++size)
      if (is_utf8(text.substr(0, size))) used = size;
    valid += used > 0 ? text.substr(0, used) : std::string_view("\xef\xbf\xbd");
    text.remove_prefix(std::max<std::size_t>(used, 1));
  }
  return valid;
}

shard::Answer answer_row(const Ask& ask, const teacher::Reply& reply, const Rules& rules) {
  shard::Answer row{.key = ask.key,
                    .round = rules.round,
                    .question = ask.purpose,
                    .template_version = vlm::version(ask.question.kind),
                    .judge = {rules.model},
                    .sample = ask.sample->id,
                    .first = ask.first != nullptr ? ask.first->id : ImageId{},
                    .second = ask.second != nullptr ? ask.second->id : ImageId{},
                    .attempt = ask.attempt,
                    .outcome = reply.outcome,
                    .reason = {made_utf8(reply.reason)},
                    .text = text_of(reply.payload),
                    .request_id = made_utf8(reply.request_id),
                    .cost_microusd = reply.cost_microusd,
                    .asked_ms = reply.asked_ms,
                    .answered_ms = reply.answered_ms};
  if (row.outcome != Outcome::ok || !is_verdict(ask)) return row;
  const auto reading = vlm::read_verdict(row.text, reply.logprobs_json);
  row.choice = reading.choice;
  row.p_first = reading.p_first;
  if (row.choice == shard::Choice::unparsed && vlm::is_refusal(row.text)) {
    row.outcome = Outcome::refused;
    row.reason = {"said_no"};
  }
  return row;
}

void AnswerBook::take(const std::filesystem::path& answers_file,
                      const std::unordered_set<SampleId>& samples, Origin origin) {
  for (auto& row : shard::read_table<shard::Answer>(answers_file)) {
    if (!samples.contains(row.sample)) continue;
    row.round = rules_.round;
    if (origin == Origin::carried) row.cost_microusd = 0;
    auto& known = published_[row.key];
    // A failure gives way to whatever else there is for the key.
    if (known.key.is_none() || known.outcome == Outcome::failed) known = std::move(row);
  }
}

void AnswerBook::put(const Ask& ask, const teacher::Reply& reply) {
  live_[ask.key] = answer_row(ask, reply, rules_);
}

// A damaged record is as none: the question is asked again, or a published row answers it.
std::optional<teacher::Reply> AnswerBook::recorded_reply(const RequestKey& key) {
  try {
    return journals_->reply(key, reader_);
  } catch (const DataError&) {
    return std::nullopt;
  }
}

const shard::Answer* AnswerBook::find(const Ask& ask) {
  const auto published = published_.find(ask.key);
  const bool is_published = published != published_.end();
  if (is_published && published->second.outcome != Outcome::failed) return &published->second;
  const auto live = live_.find(ask.key);
  if (live != live_.end()) return &live->second;
  if (journals_) {
    const auto reply = recorded_reply(ask.key);
    const bool passed_over = reply && reply->outcome == Outcome::failed && pass_over_failures_;
    if (reply && reply->outcome != Outcome::open && !passed_over) {
      put(ask, *reply);
      return &live_.at(ask.key);
    }
  }
  return is_published && !pass_over_failures_ ? &published->second : nullptr;
}

}  // namespace evd::judge
