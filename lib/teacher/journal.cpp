#include "teacher/journal.hpp"

#include <algorithm>
#include <set>
#include <tuple>
#include <utility>

#include "core/error.hpp"
#include "fs/publish.hpp"
#include "teacher/segment.hpp"

namespace evd::teacher {
namespace {

namespace stdfs = std::filesystem;

std::vector<stdfs::path> segments_below(const stdfs::path& directory) {
  std::vector<stdfs::path> files;
  std::error_code error;
  for (const auto& service : stdfs::directory_iterator(directory, error)) {
    if (!service.is_directory()) continue;
    for (const auto& file : stdfs::directory_iterator(service.path(), error))
      if (file.path().extension() == ".journal") files.push_back(file.path());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    throw IoError("list " + directory.string() + ": " + error.message());
  std::sort(files.begin(), files.end());
  return files;
}

// The better of two final answers: a picture before a refusal before a failure, then the newer.
bool is_better(const SegmentVisitor::Answer& answer, const Recorded& recorded) {
  if (!recorded.has_reply) return true;
  return std::tuple(-static_cast<int>(answer.end.outcome), answer.end.finished_ms) >
         std::tuple(-static_cast<int>(recorded.outcome), recorded.answered_ms);
}

// Intents of one file whose end has not been read yet.
using OpenIntents = std::map<std::pair<RequestKey, int>, Intent>;

shard::Call begin_row(const Intent& intent) {
  return {.key = intent.key,
          .service = {intent.service},
          .stage = {intent.stage},
          .round = intent.round,
          .attempt = intent.attempt,
          .reason = {"no_answer"},
          .ambiguous = true,
          .cost_microusd = intent.max_cost_microusd,
          .started_ms = intent.started_ms,
          .rank = intent.rank,
          .job = {intent.job}};
}

}  // namespace

shard::Call call_row(const Intent& intent, const End& end) {
  shard::Call row = begin_row(intent);
  row.status = end.status;
  row.outcome = end.outcome;
  row.reason = {end.reason};
  row.ambiguous = end.charge == Charge::unusable || end.charge == Charge::no_answer;
  row.cost_microusd = row.ambiguous ? intent.max_cost_microusd : end.cost_microusd;
  row.finished_ms = end.finished_ms;
  row.bytes_sent = end.bytes_sent;
  row.bytes_received = end.bytes_received;
  return row;
}

Journals::Journals(const stdfs::path& calls_directory, const std::vector<std::string>& known_files)
    : directory_(calls_directory) {
  read_new(known_files);
}

void Journals::read_new(const std::vector<std::string>& known_files) {
  std::set<stdfs::path> files(known_files.begin(), known_files.end());
  for (auto& file : segments_below(directory_)) files.insert(std::move(file));
  for (const auto& file : files)
    if (!segments_.contains(file)) read(file);
}

void Journals::lose(const RequestKey& key) {
  const auto found = records_.find(key);
  if (found == records_.end() || !found->second.has_reply) return;
  found->second.has_reply = false;
  ++found->second.lost;
}

void Journals::read(const stdfs::path& file) {
  OpenIntents open;
  // A path is a list of its parts: one for each of 10^6 records would take as much as all the rest.
  const auto shared = std::make_shared<const stdfs::path>(file);
  auto& [holds, bytes, spent] = segments_[file];
  const auto close = [&](const End& end) {
    const auto intent = open.find({end.key, end.attempt});
    if (intent == open.end()) return;
    Recorded& recorded = records_[end.key];
    const std::int64_t possible = intent->second.max_cost_microusd;
    const bool uncertain = end.charge == Charge::unusable || end.charge == Charge::no_answer;
    recorded.closed_intents += uncertain ? 0 : 1;
    recorded.no_answer += end.charge == Charge::no_answer ? 1 : 0;
    recorded.cost_microusd += end.cost_microusd;
    recorded.ambiguous_microusd += uncertain ? possible : 0;
    spent[intent->second.budget_line] += uncertain ? possible : end.cost_microusd;
    open.erase(intent);
  };
  const auto answer = [&](const SegmentVisitor::Answer& found) {
    close(found.end);
    Recorded& recorded = records_[found.end.key];
    if (!is_better(found, recorded)) return;
    recorded.has_reply = true;
    recorded.settled = found.settled;
    recorded.outcome = found.end.outcome;
    recorded.file = shared;
    recorded.offset = found.offset;
    recorded.payload_bytes = found.payload_bytes;
    recorded.answered_ms = found.end.finished_ms;
  };
  const auto begin = [&](const Intent& intent) {
    ++records_[intent.key].intents;
    if (holds.empty() || *holds.begin() != std::pair(intent.stage, intent.round))
      holds.insert({intent.stage, intent.round});
    open.insert_or_assign({intent.key, intent.attempt}, intent);
  };
  auto reading = read_segment(file, {begin, close, answer});
  bytes = reading.bytes;
  for (auto& problem : reading.problems) problems_.push_back(std::move(problem));
  for (const auto& [key, intent] : open) {
    Recorded& recorded = records_[intent.key];
    ++recorded.no_answer;
    ++recorded.cut_short;
    recorded.ambiguous_microusd += intent.max_cost_microusd;
    spent[intent.budget_line] += intent.max_cost_microusd;
  }
}

const Recorded* Journals::find(const RequestKey& key) const {
  const auto found = records_.find(key);
  return found == records_.end() ? nullptr : &found->second;
}

std::int64_t Journals::spent_microusd(const std::string& budget_line) const {
  std::int64_t spent = 0;
  for (const auto& [file, segment] : segments_)
    if (const auto found = segment.spent_microusd.find(budget_line);
        found != segment.spent_microusd.end())
      spent += found->second;
  return spent;
}

std::optional<Reply> Journals::reply(const RequestKey& key) const {
  ReplyReader reader;
  return reply(key, reader);
}

std::optional<Reply> Journals::reply(const RequestKey& key, ReplyReader& reader) const {
  const Recorded* recorded = find(key);
  if (recorded == nullptr || !recorded->has_reply || recorded->settled) return std::nullopt;
  return reader.read(*recorded->file, recorded->offset);
}

std::vector<stdfs::path> Journals::files_of(const std::string& stage, int round) const {
  std::vector<stdfs::path> files;
  for (const auto& [file, segment] : segments_)
    if (segment.holds.contains({stage, round})) files.push_back(file);
  return files;
}

int Journals::settle(const std::string& stage, int round,
                     const std::function<bool(const RequestKey&)>& is_published) const {
  int shrunk = 0;
  for (const auto& file : files_of(stage, round))
    if (const auto bytes = settled_segment(file, is_published)) {
      fs::publish(file, *bytes);
      ++shrunk;
    }
  return shrunk;
}

std::vector<shard::Call> Journals::calls(const std::string& stage, int round) const {
  std::vector<shard::Call> rows;
  for (const auto& file : files_of(stage, round)) {
    OpenIntents open;
    const auto close = [&](const End& end) {
      const auto intent = open.find({end.key, end.attempt});
      if (intent == open.end()) return;
      rows.push_back(call_row(intent->second, end));
      open.erase(intent);
    };
    const auto begin = [&](const Intent& intent) {
      if (intent.stage == stage && intent.round == round)
        open.insert_or_assign({intent.key, intent.attempt}, intent);
    };
    // Damage was reported when the file was indexed.
    static_cast<void>(read_segment(
        file, {begin, close, [&](const SegmentVisitor::Answer& found) { close(found.end); }}));
    for (const auto& [key, intent] : open) rows.push_back(begin_row(intent));
  }
  std::sort(rows.begin(), rows.end(), [](const shard::Call& a, const shard::Call& b) {
    return std::tie(a.key, a.attempt, a.started_ms, a.job) <
           std::tie(b.key, b.attempt, b.started_ms, b.job);
  });
  return rows;
}

}  // namespace evd::teacher
