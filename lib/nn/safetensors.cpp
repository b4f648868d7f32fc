#include "nn/safetensors.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <limits>
#include <set>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "fs/file.hpp"
#include "fs/mapped_file.hpp"
#include "fs/publish.hpp"

namespace evd::nn {
namespace {

using Json = nlohmann::json;
constexpr std::uint64_t kMaxHeaderBytes = 100'000'000;
constexpr std::uint64_t kMaxElements = std::uint64_t{1} << 58;
constexpr std::string_view kMetadata = "__metadata__";

[[noreturn]] void refuse(const std::string& where, const std::string& problem) {
  throw DataError(where + ": not a valid safetensors file (" + problem + ")");
}

std::uint64_t read_length(std::span<const std::byte> bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 8; i-- > 0;) value = value << 8 | std::to_integer<std::uint64_t>(bytes[i]);
  return value;
}

std::uint64_t bits_of(std::string_view dtype) {
  static constexpr std::array<std::pair<std::string_view, std::uint64_t>, 21> kBits = {
      {{"BOOL", 8},       {"U8", 8},      {"I8", 8},   {"I16", 16},    {"U16", 16},
       {"F16", 16},       {"BF16", 16},   {"I32", 32}, {"U32", 32},    {"F32", 32},
       {"C64", 64},       {"F64", 64},    {"I64", 64}, {"U64", 64},    {"F8_E5M2", 8},
       {"F8_E4M3", 8},    {"F8_E8M0", 8}, {"F4", 4},   {"F6_E2M3", 6}, {"F6_E3M2", 6},
       {"F8_E4M3FNUZ", 8}}};
  for (const auto& [name, bits] : kBits) {
    if (name == dtype) return bits;
  }
  return 0;
}

// Parses the header and refuses a name that stands twice: a plain parse would keep the last one.
Json parse_header(std::string_view text, const std::string& where) {
  std::vector<std::set<std::string>> open;
  bool duplicate = false;
  const auto watch = [&](int, Json::parse_event_t event, Json& parsed) {
    if (event == Json::parse_event_t::object_start) open.emplace_back();
    if (event == Json::parse_event_t::object_end) open.pop_back();
    if (event == Json::parse_event_t::key) {
      duplicate |= !open.back().insert(parsed.get<std::string>()).second;
    }
    return true;
  };
  Json header = Json::parse(text, watch, false);
  if (header.is_discarded() || !header.is_object()) refuse(where, "the header is no JSON object");
  if (duplicate) refuse(where, "a name stands twice in the header");
  return header;
}

TensorEntry parse_entry(const std::string& name, const Json& entry, const std::string& where) {
  const auto bad = [&](const std::string& what) { refuse(where, "tensor " + name + ": " + what); };
  if (!entry.is_object() || !entry.contains("dtype") || !entry.contains("shape") ||
      !entry.contains("data_offsets") || !entry["dtype"].is_string() ||
      !entry["shape"].is_array() || !entry["data_offsets"].is_array() ||
      entry["data_offsets"].size() != 2) {
    bad("dtype, shape or data_offsets is missing");
  }
  TensorEntry tensor;
  tensor.dtype = entry["dtype"].get<std::string>();
  const std::uint64_t bits = bits_of(tensor.dtype);
  if (bits == 0) bad("unknown dtype");
  std::uint64_t count = 1;
  std::uint64_t reach = 1;  // of the sides that are not 0: what comes after multiplies them
  for (const auto& side : entry["shape"]) {
    if (!side.is_number_unsigned()) bad("a side is no whole number");
    const auto length = side.get<std::uint64_t>();
    if (length > std::uint64_t{std::numeric_limits<std::int64_t>::max()} ||
        __builtin_mul_overflow(count, length, &count) ||
        __builtin_mul_overflow(reach, std::max<std::uint64_t>(length, 1), &reach) ||
        reach > kMaxElements) {
      bad("its shape overflows");
    }
    tensor.shape.push_back(static_cast<std::int64_t>(length));
  }
  for (const auto& offset : entry["data_offsets"]) {
    if (!offset.is_number_unsigned()) bad("an offset is no whole number");
  }
  tensor.begin = entry["data_offsets"][0].get<std::uint64_t>();
  tensor.end = entry["data_offsets"][1].get<std::uint64_t>();
  std::uint64_t size_bits = 0;
  if (__builtin_mul_overflow(count, bits, &size_bits) || size_bits % 8 != 0 ||
      tensor.end < tensor.begin || tensor.end - tensor.begin != size_bits / 8) {
    bad("offsets and shape do not agree");
  }
  return tensor;
}

std::string build_header(const std::vector<NamedTensor>& tensors,
                         const std::map<std::string, std::string, std::less<>>& metadata) {
  Json header = Json::object();
  header[std::string(kMetadata)] = metadata;
  std::uint64_t offset = 0;
  for (const auto& tensor : tensors) {
    const std::uint64_t end = offset + tensor.elements.size();
    header[tensor.name] = {
        {"dtype", name_of(tensor.type)}, {"shape", tensor.shape}, {"data_offsets", {offset, end}}};
    offset = end;
  }
  std::string text = header.dump();
  text.resize((text.size() + 7) / 8 * 8, ' ');
  return text;
}

}  // namespace

Safetensors::Safetensors(std::shared_ptr<const void> owner, Bytes bytes, std::string where)
    : owner_(std::move(owner)), bytes_(bytes), where_(std::move(where)) {
  if (bytes_.size() < 8) refuse(where_, "shorter than 8 bytes");
  const std::uint64_t length = read_length(bytes_);
  if (length > kMaxHeaderBytes || length > bytes_.size() - 8) refuse(where_, "header too long");
  data_ = 8 + length;
  const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + 8, length);
  if (text.empty() || text.front() != '{') refuse(where_, "the header does not begin with {");
  const Json header = parse_header(text, where_);
  for (const auto& [name, entry] : header.items()) {
    if (name == kMetadata) {
      if (!entry.is_object()) refuse(where_, "metadata is no object");
      for (const auto& [key, value] : entry.items()) {
        if (!value.is_string()) refuse(where_, "metadata " + key + " is no string");
        metadata_[key] = value.get<std::string>();
      }
      continue;
    }
    tensors_.emplace(name, parse_entry(name, entry, where_));
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> extents;
  for (const auto& [name, tensor] : tensors_) extents.emplace_back(tensor.begin, tensor.end);
  std::sort(extents.begin(), extents.end());
  std::uint64_t expected = 0;
  for (const auto& [begin, end] : extents) {
    if (begin != expected) refuse(where_, "the tensors leave a hole or overlap");
    expected = end;
  }
  if (expected != bytes_.size() - data_) refuse(where_, "the data is cut short or too long");
}

Safetensors::Safetensors(std::vector<std::byte> bytes, std::string where) {
  const auto owner = std::make_shared<const std::vector<std::byte>>(std::move(bytes));
  *this = Safetensors(owner, Bytes(*owner), std::move(where));
}

Safetensors Safetensors::map(const std::filesystem::path& path) {
  auto file = std::make_shared<const fs::MappedFile>(path);
  const Bytes bytes = file->bytes();
  return {std::move(file), bytes, path.string()};
}

Safetensors Safetensors::read(const std::filesystem::path& path) {
  return Safetensors(fs::read_bytes(path), path.string());
}

Bytes Safetensors::bytes(std::string_view name) const {
  const auto found = tensors_.find(name);
  if (found == tensors_.end()) throw DataError(where_ + ": no tensor " + std::string(name));
  const auto& tensor = found->second;
  return bytes_.subspan(data_ + tensor.begin, tensor.end - tensor.begin);
}

std::vector<float> Safetensors::floats(std::string_view name) const {
  const Bytes elements = bytes(name);
  const std::string& dtype = tensors_.find(name)->second.dtype;
  const auto type = tensor_type(dtype);
  if (!type || (*type != TensorType::F32 && *type != TensorType::F16 && *type != TensorType::BF16))
    throw DataError(where_ + ": tensor " + std::string(name) + " is " + dtype +
                    " (F32, F16 and BF16 are read)");
  return to_floats(elements, *type);
}

WrittenFile write_safetensors(const std::filesystem::path& path, std::vector<NamedTensor> tensors,
                              std::map<std::string, std::string, std::less<>> metadata) {
  static_assert(std::endian::native == std::endian::little);
  std::sort(tensors.begin(), tensors.end(), [](const NamedTensor& a, const NamedTensor& b) {
    const auto a_bytes = bytes_of(a.type);
    const auto b_bytes = bytes_of(b.type);
    return a_bytes != b_bytes ? a_bytes > b_bytes : a.name < b.name;
  });
  metadata["format"] = "pt";
  const std::string header = build_header(tensors, metadata);
  std::array<std::byte, 8> length{};
  for (std::size_t i = 0; i < 8; ++i) {
    length[i] = static_cast<std::byte>(header.size() >> (8 * i) & 0xFFU);
  }
  std::vector<Bytes> pieces = {Bytes(length), as_bytes(header)};
  for (const auto& tensor : tensors) pieces.push_back(tensor.elements);
  WrittenFile written;
  for (const auto& piece : pieces) written.bytes += static_cast<std::int64_t>(piece.size());
  written.sha256 = fs::publish(path, pieces);
  return written;
}

}  // namespace evd::nn
