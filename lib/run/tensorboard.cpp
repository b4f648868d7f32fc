#include "run/tensorboard.hpp"

#include <array>
#include <bit>
#include <cstring>

#include <unistd.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::run {
namespace {

static_assert(std::endian::native == std::endian::little);

// ---- messages: a field is (number << 3 | kind), then its value

enum class Kind : std::uint8_t { varint = 0, fixed64 = 1, bytes = 2, fixed32 = 5 };

void put_varint(std::string& out, std::uint64_t value) {
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  out += static_cast<char>(value);
}

void put_key(std::string& out, int number, Kind kind) {
  put_varint(out, static_cast<std::uint64_t>(number) << 3 | static_cast<std::uint64_t>(kind));
}

void put_integer(std::string& out, int number, std::int64_t value) {
  put_key(out, number, Kind::varint);
  put_varint(out, static_cast<std::uint64_t>(value));
}

template <class T>
void put_raw(std::string& out, T value) {
  out.append(reinterpret_cast<const char*>(&value), sizeof value);
}

void put_bytes(std::string& out, int number, std::string_view value) {
  put_key(out, number, Kind::bytes);
  put_varint(out, value.size());
  out += value;
}

// ---- fields of event.proto and summary.proto
constexpr int kWallTime = 1;
constexpr int kStep = 2;
constexpr int kFileVersion = 3;
constexpr int kSummary = 5;
constexpr int kSessionLog = 7;
constexpr int kSummaryValue = 1;
constexpr int kTag = 1;
constexpr int kSimpleValue = 2;
constexpr int kImage = 4;
constexpr int kSessionStart = 1;

std::string summary_of(std::string_view tag, std::string_view field) {
  std::string value;
  put_bytes(value, kTag, tag);
  value += field;
  std::string summary;
  put_bytes(summary, kSummaryValue, value);
  std::string event;
  put_bytes(event, kSummary, summary);
  return event;
}

std::uint32_t masked_crc(std::string_view text) {
  const std::uint32_t crc = crc32c(std::as_bytes(std::span(text)));
  return ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
}

void put_frame(std::string& out, std::string_view message) {
  std::string length;
  put_raw(length, static_cast<std::uint64_t>(message.size()));
  out += length;
  put_raw(out, masked_crc(length));
  out += message;
  put_raw(out, masked_crc(message));
}

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t i = 0; i < 256; ++i) {
    std::uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) value = (value >> 1) ^ ((value & 1) * 0x82f63b78U);
    table[i] = value;
  }
  return table;
}

std::string host_name() {
  std::array<char, 256> name{};
  return ::gethostname(name.data(), name.size() - 1) == 0 ? name.data() : "host";
}

}  // namespace

std::uint32_t crc32c(std::span<const std::byte> bytes) {
  static constexpr auto kTable = make_crc_table();
  std::uint32_t crc = ~0U;
  for (const std::byte byte : bytes) {
    crc = (crc >> 8) ^ kTable[(crc ^ static_cast<std::uint32_t>(byte)) & 0xff];
  }
  return ~crc;
}

EventFile::EventFile(const std::filesystem::path& folder, std::string_view life,
                     std::int64_t first_step, const Log& log)
    : log_(log) {
  try {
    fs::make_directory(folder);
    // TensorBoard reads a folder's files in the order of their names, so they begin with the time.
    std::filesystem::path file;
    do {
      const auto now_ms = static_cast<long long>(utc_ms());
      file = folder / format("events.out.tfevents.%010lld.%03lld.%s.%s", now_ms / 1000,
                             now_ms % 1000, host_name().c_str(), std::string(life).c_str());
    } while (std::filesystem::exists(file));
    file_.emplace(file);
  } catch (const Error& error) {
    log_.warning(std::string("TensorBoard's curves are not written: ") + error.what());
    return;
  }
  std::string version;
  put_bytes(version, kFileVersion, "brain.Event:2");
  event(0, version);
  std::string session;
  put_integer(session, 1, kSessionStart);
  std::string start;
  put_bytes(start, kSessionLog, session);
  event(first_step, start);
  flush();
}

void EventFile::event(std::int64_t step, std::string_view field) {
  std::string message;
  put_key(message, kWallTime, Kind::fixed64);
  put_raw(message, static_cast<double>(utc_ms()) / 1e3);
  put_integer(message, kStep, step);
  message += field;
  put_frame(pending_, message);
}

void EventFile::scalar(std::string_view tag, std::int64_t step, double value) {
  if (!file_) return;
  std::string field;
  put_key(field, kSimpleValue, Kind::fixed32);
  put_raw(field, static_cast<float>(value));
  event(step, summary_of(tag, field));
}

void EventFile::image(std::string_view tag, std::int64_t step, const SummaryImage& image) {
  if (!file_) return;
  constexpr int kRgb = 3;
  std::string message;
  put_integer(message, 1, image.height);
  put_integer(message, 2, image.width);
  put_integer(message, 3, kRgb);
  put_bytes(message, 4, {reinterpret_cast<const char*>(image.png.data()), image.png.size()});
  std::string field;
  put_bytes(field, kImage, message);
  event(step, summary_of(tag, field));
}

void EventFile::flush() {
  if (!file_ || pending_.empty()) return;
  try {
    file_->append(std::as_bytes(std::span(pending_)));
  } catch (const Error& error) {
    log_.warning(std::string("TensorBoard's curves end here: ") + error.what());
    file_.reset();
  }
  pending_.clear();
}

}  // namespace evd::run
