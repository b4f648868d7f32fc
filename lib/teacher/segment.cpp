#include "teacher/segment.hpp"

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "teacher/segment_frame.hpp"
#include "teacher/segment_input.hpp"

namespace evd::teacher {
namespace {

using nlohmann::json;

std::string record(RecordType type, const json& header, Bytes payload) {
  // Foreign text (a service's request id) may be no UTF-8; that is no reason to lose an answer.
  const std::string text = header.dump(-1, ' ', false, json::error_handler_t::replace);
  const auto frame = to_bytes({.type = static_cast<std::uint32_t>(type),
                               .header_bytes = text.size(),
                               .payload_bytes = payload.size(),
                               .header_xxh3 = xxh3_64(as_bytes(text)),
                               .payload_xxh3 = xxh3_64(payload)});
  std::string bytes;
  bytes.reserve(frame.size() + text.size() + payload.size());
  bytes.append(reinterpret_cast<const char*>(frame.data()), frame.size());
  bytes.append(text);
  bytes.append(reinterpret_cast<const char*>(payload.data()), payload.size());
  return bytes;
}

json to_json(const End& end) {
  return {{"key", end.key.hex()},
          {"attempt", end.attempt},
          {"status", end.status},
          {"outcome", name(end.outcome)},
          {"reason", end.reason},
          {"charge", name(end.charge)},
          {"cost_microusd", end.cost_microusd},
          {"finished_ms", end.finished_ms},
          {"bytes_sent", end.bytes_sent},
          {"bytes_received", end.bytes_received}};
}

Intent parse_intent(const json& header) {
  return {.key = RequestKey::parse(header.at("key").get<std::string>()),
          .service = header.at("service"),
          .stage = header.at("stage"),
          .round = header.at("round"),
          .attempt = header.at("attempt"),
          .rank = header.at("rank"),
          .job = header.at("job"),
          .budget_line = header.at("budget_line"),
          .max_cost_microusd = header.at("max_cost_microusd"),
          .started_ms = header.at("started_ms")};
}

End parse_end(const json& header) {
  return {.key = RequestKey::parse(header.at("key").get<std::string>()),
          .attempt = header.at("attempt"),
          .status = header.at("status"),
          .outcome = parse_enum<shard::Outcome>(header.at("outcome").get<std::string>(), "outcome"),
          .reason = header.at("reason"),
          .charge = parse_enum<Charge>(header.at("charge").get<std::string>(), "charge"),
          .cost_microusd = header.at("cost_microusd"),
          .finished_ms = header.at("finished_ms"),
          .bytes_sent = header.at("bytes_sent"),
          .bytes_received = header.at("bytes_received")};
}

Reply parse_reply(const json& header, const End& end) {
  return {.key = end.key,
          .outcome = end.outcome,
          .status = end.status,
          .reason = end.reason,
          .payload = {},
          .model_echo = header.at("model_echo"),
          .request_id = header.at("request_id"),
          .revised_prompt = header.at("revised_prompt"),
          .logprobs_json = header.at("logprobs"),
          .cost_microusd = end.cost_microusd,
          .asked_ms = header.at("asked_ms"),
          .answered_ms = end.finished_ms,
          .attempts = header.at("attempts")};
}

void tell(const SegmentVisitor& visitor, const Frame& frame, const json& header,
          std::uint64_t offset) {
  switch (static_cast<RecordType>(frame.type)) {
    case RecordType::intent:
      if (visitor.intent) visitor.intent(parse_intent(header));
      break;
    case RecordType::end:
      if (visitor.end) visitor.end(parse_end(header));
      break;
    case RecordType::reply: {
      const End end = parse_end(header);
      if (visitor.reply)
        visitor.reply({end, parse_reply(header, end), offset, frame.payload_bytes});
      break;
    }
    case RecordType::submitted:
      break;
    default:
      throw DataError("unknown record type " + std::to_string(frame.type));
  }
}

json parse_header(const SegmentInput& input, const Frame& frame, std::uint64_t offset) {
  const auto bytes = input.read(offset + kFrameBytes, frame.header_bytes);
  if (xxh3_64(bytes) != frame.header_xxh3) throw DataError("header checksum differs");
  return json::parse(reinterpret_cast<const char*>(bytes.data()),
                     reinterpret_cast<const char*>(bytes.data()) + bytes.size());
}

}  // namespace

std::string segment_head() { return std::string(kSegmentMagic); }

std::string encode(const Intent& intent) {
  return record(RecordType::intent,
                {{"key", intent.key.hex()},
                 {"service", intent.service},
                 {"stage", intent.stage},
                 {"round", intent.round},
                 {"attempt", intent.attempt},
                 {"rank", intent.rank},
                 {"job", intent.job},
                 {"budget_line", intent.budget_line},
                 {"max_cost_microusd", intent.max_cost_microusd},
                 {"started_ms", intent.started_ms}},
                {});
}

std::string encode(const End& end) { return record(RecordType::end, to_json(end), {}); }

std::string encode(const End& end, const Reply& reply) {
  json header = to_json(end);
  header["model_echo"] = reply.model_echo;
  header["request_id"] = reply.request_id;
  header["revised_prompt"] = reply.revised_prompt;
  header["logprobs"] = reply.logprobs_json;
  header["asked_ms"] = reply.asked_ms;
  header["attempts"] = reply.attempts;
  return record(RecordType::reply, header, reply.payload);
}

std::vector<std::string> read_segment(const std::filesystem::path& file,
                                      const SegmentVisitor& visitor) {
  const SegmentInput input(file);
  std::vector<std::string> problems;
  const auto problem = [&](std::uint64_t offset, const std::string& what) {
    problems.push_back(file.string() + " at byte " + std::to_string(offset) + ": " + what);
  };
  // A file that was cut while it was begun holds no record.
  if (input.size() < kSegmentMagic.size()) return problems;
  if (!input.begins_with(kSegmentMagic)) {
    problem(0, "this is no journal segment; passed over");
    return problems;
  }
  std::uint64_t offset = kSegmentMagic.size();
  while (const auto found = input.next_frame(offset)) {
    if (found->offset != offset) problem(offset, "damaged record passed over");
    offset = found->offset;
    try {
      tell(visitor, found->frame, parse_header(input, found->frame, offset), offset);
    } catch (const std::exception& error) {
      problem(offset, std::string("damaged record passed over: ") + error.what());
    }
    offset += found->frame.record_bytes();
  }
  return problems;
}

Reply read_reply(const std::filesystem::path& file, std::uint64_t offset) {
  const SegmentInput input(file);
  const auto damaged = [&](const std::string& what) {
    return DataError(file.string() + " at byte " + std::to_string(offset) + ": " + what);
  };
  const auto frame = parse_frame(input.read(offset, kFrameBytes));
  if (!frame || frame->type != static_cast<std::uint32_t>(RecordType::reply))
    throw damaged("no recorded answer begins here");
  try {
    const json header = parse_header(input, *frame, offset);
    Reply reply = parse_reply(header, parse_end(header));
    reply.payload = input.read(offset + kFrameBytes + frame->header_bytes, frame->payload_bytes);
    if (xxh3_64(reply.payload) != frame->payload_xxh3) throw DataError("payload checksum differs");
    return reply;
  } catch (const std::exception& error) {
    throw damaged(std::string("recorded answer is damaged: ") + error.what());
  }
}

}  // namespace evd::teacher
