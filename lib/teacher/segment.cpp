#include "teacher/segment.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "teacher/fields.hpp"
#include "teacher/segment_frame.hpp"
#include "teacher/segment_input.hpp"

namespace evd::teacher {
namespace {

std::string record(RecordType type, std::string_view fields, Bytes payload) {
  const auto frame = to_bytes({.type = static_cast<std::uint32_t>(type),
                               .header_bytes = fields.size(),
                               .payload_bytes = payload.size(),
                               .header_xxh3 = xxh3_64(as_bytes(fields)),
                               .payload_xxh3 = xxh3_64(payload)});
  std::string bytes;
  bytes.reserve(frame.size() + fields.size() + payload.size());
  bytes.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  bytes.append(fields);
  bytes.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  return bytes;
}

template <class Enum>
Enum enum_at(std::uint8_t number, const char* what) {
  if (number >= EnumNames<Enum>::value.size())
    throw DataError(std::string("unknown ") + what + " " + std::to_string(number));
  return static_cast<Enum>(number);
}

FieldWriter fields_of(const Intent& intent) {
  FieldWriter fields;
  fields.number(intent.key.bytes())
      .number<std::int32_t>(intent.round)
      .number<std::int32_t>(intent.attempt)
      .number<std::int32_t>(intent.rank)
      .number(intent.max_cost_microusd)
      .number(intent.started_ms)
      .text(intent.service)
      .text(intent.stage)
      .text(intent.job)
      .text(intent.budget_line);
  return fields;
}

Intent intent_from(FieldReader fields) {
  Intent intent;
  intent.key = RequestKey(fields.number<std::array<std::uint8_t, RequestKey::kBytes>>());
  intent.round = fields.number<std::int32_t>();
  intent.attempt = fields.number<std::int32_t>();
  intent.rank = fields.number<std::int32_t>();
  intent.max_cost_microusd = fields.number<std::int64_t>();
  intent.started_ms = fields.number<std::int64_t>();
  intent.service = fields.text();
  intent.stage = fields.text();
  intent.job = fields.text();
  intent.budget_line = fields.text();
  return intent;
}

FieldWriter fields_of(const End& end) {
  FieldWriter fields;
  fields.number(end.key.bytes())
      .number<std::int32_t>(end.attempt)
      .number<std::int32_t>(end.status)
      .number(static_cast<std::uint8_t>(end.outcome))
      .number(static_cast<std::uint8_t>(end.charge))
      .number(end.cost_microusd)
      .number(end.finished_ms)
      .number(end.bytes_sent)
      .number(end.bytes_received)
      .text(end.reason);
  return fields;
}

End end_from(FieldReader& fields) {
  End end;
  end.key = RequestKey(fields.number<std::array<std::uint8_t, RequestKey::kBytes>>());
  end.attempt = fields.number<std::int32_t>();
  end.status = fields.number<std::int32_t>();
  end.outcome = enum_at<shard::Outcome>(fields.number<std::uint8_t>(), "outcome");
  end.charge = enum_at<Charge>(fields.number<std::uint8_t>(), "charge");
  end.cost_microusd = fields.number<std::int64_t>();
  end.finished_ms = fields.number<std::int64_t>();
  end.bytes_sent = fields.number<std::int64_t>();
  end.bytes_received = fields.number<std::int64_t>();
  end.reason = fields.text();
  return end;
}

FieldWriter fields_of(const End& end, const Reply& reply) {
  FieldWriter fields = fields_of(end);
  fields.number(reply.asked_ms)
      .number<std::int32_t>(reply.attempts)
      .text(reply.model_echo)
      .text(reply.request_id)
      .text(reply.revised_prompt)
      .text(reply.logprobs_json);
  return fields;
}

Reply reply_from(FieldReader fields) {
  const End end = end_from(fields);
  Reply reply{.key = end.key,
              .outcome = end.outcome,
              .status = end.status,
              .reason = end.reason,
              .cost_microusd = end.cost_microusd,
              .answered_ms = end.finished_ms};
  reply.asked_ms = fields.number<std::int64_t>();
  reply.attempts = fields.number<std::int32_t>();
  reply.model_echo = fields.text();
  reply.request_id = fields.text();
  reply.revised_prompt = fields.text();
  reply.logprobs_json = fields.text();
  return reply;
}

Bytes header_of(SegmentInput& input, const Frame& frame, std::uint64_t offset) {
  const auto bytes = input.view(offset + kFrameBytes, frame.header_bytes);
  if (xxh3_64(bytes) != frame.header_xxh3) throw DataError("header checksum differs");
  return bytes;
}

void tell(const SegmentVisitor& visitor, const Frame& frame, FieldReader fields,
          std::uint64_t offset) {
  const auto type = static_cast<RecordType>(frame.type);
  switch (type) {
    case RecordType::intent:
      if (visitor.intent) visitor.intent(intent_from(fields));
      break;
    case RecordType::end:
      if (visitor.end) visitor.end(end_from(fields));
      break;
    case RecordType::reply:
    case RecordType::settled:
      if (visitor.reply)
        visitor.reply({.end = end_from(fields),
                       .offset = offset,
                       .payload_bytes = frame.payload_bytes,
                       .settled = type == RecordType::settled});
      break;
    case RecordType::submitted:
      break;
    default:
      throw DataError("unknown record type " + std::to_string(frame.type));
  }
}

Reply reply_at(SegmentInput& input, const std::filesystem::path& file, std::uint64_t offset) {
  const auto damaged = [&](const std::string& what) {
    return DataError(file.string() + " at byte " + std::to_string(offset) + ": " + what);
  };
  const auto frame = parse_frame(input.view(offset, kFrameBytes));
  if (!frame || frame->type != static_cast<std::uint32_t>(RecordType::reply))
    throw damaged("no recorded answer begins here");
  try {
    Reply reply = reply_from(FieldReader(header_of(input, *frame, offset)));
    reply.payload = input.read(offset + kFrameBytes + frame->header_bytes, frame->payload_bytes);
    if (xxh3_64(reply.payload) != frame->payload_xxh3) throw DataError("payload checksum differs");
    return reply;
  } catch (const std::exception& error) {
    throw damaged(std::string("recorded answer is damaged: ") + error.what());
  }
}

}  // namespace

std::string segment_head() { return std::string(kSegmentMagic); }

std::string encode(const Intent& intent) {
  return record(RecordType::intent, fields_of(intent).bytes(), {});
}

std::string encode(const End& end) { return record(RecordType::end, fields_of(end).bytes(), {}); }

std::string encode(const End& end, const Reply& reply) {
  return record(RecordType::reply, fields_of(end, reply).bytes(), reply.payload);
}

SegmentReading read_segment(const std::filesystem::path& file, const SegmentVisitor& visitor) {
  SegmentInput input(file);
  SegmentReading reading{.bytes = input.size(), .problems = {}};
  const auto problem = [&](std::uint64_t offset, const std::string& what) {
    reading.problems.push_back(file.string() + " at byte " + std::to_string(offset) + ": " + what);
  };
  // A file that was cut while it was begun holds no record.
  if (input.size() < kSegmentMagic.size()) return reading;
  if (!input.begins_with(kSegmentMagic)) {
    problem(0, "this is no journal segment; passed over");
    return reading;
  }
  std::uint64_t offset = kSegmentMagic.size();
  while (const auto found = input.next_frame(offset)) {
    if (found->offset != offset) problem(offset, "damaged record passed over");
    offset = found->offset;
    try {
      tell(visitor, found->frame, FieldReader(header_of(input, found->frame, offset)), offset);
    } catch (const std::exception& error) {
      problem(offset, std::string("damaged record passed over: ") + error.what());
    }
    offset += found->frame.record_bytes();
  }
  return reading;
}

Reply read_reply(const std::filesystem::path& file, std::uint64_t offset) {
  SegmentInput input(file);
  return reply_at(input, file, offset);
}

struct ReplyReader::Segment {
  explicit Segment(const std::filesystem::path& path) : file(path), input(path) {}
  std::filesystem::path file;
  SegmentInput input;
};

ReplyReader::ReplyReader() = default;
ReplyReader::~ReplyReader() = default;

Reply ReplyReader::read(const std::filesystem::path& file, std::uint64_t offset) {
  constexpr std::size_t kMostOpen = 64;
  const auto at = std::find_if(open_.begin(), open_.end(),
                               [&](const Segment& segment) { return segment.file == file; });
  if (at != open_.end()) {
    open_.splice(open_.begin(), open_, at);
  } else {
    open_.emplace_front(file);
    if (open_.size() > kMostOpen) open_.pop_back();
  }
  return reply_at(open_.front().input, file, offset);
}

std::optional<std::string> settled_segment(
    const std::filesystem::path& file, const std::function<bool(const RequestKey&)>& is_published) {
  SegmentInput input(file);
  if (!input.begins_with(kSegmentMagic)) return std::nullopt;
  std::string bytes = segment_head();
  std::uint64_t offset = kSegmentMagic.size();
  bool is_less = false;
  while (const auto found = input.next_frame(offset)) {
    // Damage is for people to look at: such a file is left as it is.
    if (found->offset != offset) return std::nullopt;
    const Frame frame = found->frame;
    const auto header = header_of(input, frame, offset);
    FieldReader fields(header);
    const bool settles = frame.type == static_cast<std::uint32_t>(RecordType::reply) &&
                         frame.payload_bytes > 0 && is_published(end_from(fields).key);
    if (settles) {
      bytes += record(RecordType::settled,
                      {reinterpret_cast<const char*>(header.data()), header.size()}, {});
      is_less = true;
    } else {
      const auto whole = input.view(offset, frame.record_bytes());
      bytes.append(reinterpret_cast<const char*>(whole.data()), whole.size());
    }
    offset += frame.record_bytes();
  }
  if (!is_less || offset != input.size()) return std::nullopt;
  return bytes;
}

}  // namespace evd::teacher
