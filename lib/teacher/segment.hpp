#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash.hpp"
#include "shard/rows.hpp"
#include "teacher/caller.hpp"

namespace evd::teacher {

/// A journal segment: calls/<service>/<job>-<rank>.journal, written by one process, append-only.
///
///   8 bytes   "EVDCALL2"
///   records   each: frame (48 bytes, little-endian), header (fields), payload (raw bytes)
///     u32 magic 0x4c444556 ("VEDL")     u32 type (RecordType)
///     u64 header bytes                  u64 payload bytes
///     u64 xxh3 of the header            u64 xxh3 of the payload
///     u64 xxh3 of the 40 bytes before
///
/// An intent is synced before its request leaves, an end before anybody is told. Cost: one write
/// and one fdatasync for all records that wait. A reader passes over damaged records by the frames'
/// own checksums; a torn tail ends the file.
enum class RecordType : std::uint32_t {
  intent = 1,     ///< a request is about to be sent
  submitted = 2,  ///< the service's id of a task that is polled (services that queue)
  end = 3,        ///< an attempt ended, and the request goes on or stays open
  reply = 4,      ///< the final answer; ends its attempt too
  settled = 5,    ///< a final answer whose payload lies in published shards
};

/// Before an attempt is sent.
struct Intent {
  RequestKey key;
  std::string service;
  std::string stage;
  int round = 0;
  int attempt = 0;  ///< from 0 within the key, over all lives
  int rank = 0;
  std::string job;
  std::string budget_line;
  std::int64_t max_cost_microusd = 0;
  std::int64_t started_ms = 0;
};

/// How sure it is that an attempt cost nothing.
enum class Charge : std::uint8_t {
  none,       ///< refused, failed or never sent
  paid,       ///< answered
  unusable,   ///< a whole answer that is no good: may have been charged
  no_answer,  ///< sent, and no whole answer: may have been charged
};

/// After an attempt.
struct End {
  RequestKey key;
  int attempt = -1;  ///< -1 = a final answer without an attempt (given up)
  int status = 0;
  shard::Outcome outcome = shard::Outcome::open;
  std::string reason;
  Charge charge = Charge::none;
  std::int64_t cost_microusd = 0;
  std::int64_t finished_ms = 0;
  std::int64_t bytes_sent = 0;
  std::int64_t bytes_received = 0;
};

/// An attempt that ended, as a row of the calls table.
[[nodiscard]] shard::Call call_row(const Intent& intent, const End& end);

[[nodiscard]] std::string segment_head();
/// One record, ready to be appended.
[[nodiscard]] std::string encode(const Intent& intent);
[[nodiscard]] std::string encode(const End& end);
[[nodiscard]] std::string encode(const End& end, const Reply& reply);

/// What a reader is told, in file order.
struct SegmentVisitor {
  std::function<void(const Intent&)> intent;
  std::function<void(const End&)> end;
  struct Answer {
    End end;
    std::uint64_t offset = 0;  ///< of the record
    std::uint64_t payload_bytes = 0;
    bool settled = false;  ///< the payload is not here
  };
  std::function<void(const Answer&)> reply;
};

struct SegmentReading {
  std::uint64_t bytes = 0;            ///< of the file when it was opened: nothing behind was read
  std::vector<std::string> problems;  ///< what was damaged, one line each
};
/// Reads a segment. IoError when it cannot be opened.
[[nodiscard]] SegmentReading read_segment(const std::filesystem::path& file,
                                          const SegmentVisitor& visitor);
/// The reply record at `offset`, payload verified. DataError when it is damaged.
[[nodiscard]] Reply read_reply(const std::filesystem::path& file, std::uint64_t offset);

/// The same for many records: segments stay open, the 64 used last. For one thread.
class ReplyReader {
 public:
  ReplyReader();
  ~ReplyReader();
  [[nodiscard]] Reply read(const std::filesystem::path& file, std::uint64_t offset);

 private:
  struct Segment;
  std::list<Segment> open_;  // newest first
};

/// The segment without the payloads of answers that are published elsewhere; nothing when there is
/// no such payload, or the file is damaged or torn. Intents, ends and costs stay.
[[nodiscard]] std::optional<std::string> settled_segment(
    const std::filesystem::path& file, const std::function<bool(const RequestKey&)>& is_published);

}  // namespace evd::teacher

namespace evd {
template <>
struct EnumNames<teacher::Charge> {
  static constexpr std::array<std::string_view, 4> value = {"none", "paid", "unusable",
                                                            "no_answer"};
};
}  // namespace evd
