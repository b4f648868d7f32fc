#include "shard/file_columns.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "core/text.hpp"
#include "h5/variable_text.hpp"
#include "shard/format.hpp"

namespace evd::shard {
namespace {

std::string required_text(const h5::File& file, const std::string& key) {
  auto text = file.text_attribute(key);
  if (!text) throw DataError(file.path() + ": root attribute " + key + " is missing");
  return *std::move(text);
}

// Checks what the file says it is; its minor version.
std::int32_t check_schema(const h5::File& file, std::string_view table) {
  if (required_text(file, "schema") != format::kSchema)
    throw DataError(file.path() + ": not an EvolveDirector file (its schema has another name)");
  const auto version = file.numbers_attribute("version");
  if (!version || version->size() != 2)
    throw DataError(file.path() + ": root attribute version is missing or not two numbers");
  if ((*version)[0] != format::kMajor)
    throw DataError(
        file.path() + ": format " + std::to_string((*version)[0]) + "." +
        std::to_string((*version)[1]) + " (this build reads " + std::to_string(format::kMajor) +
        ".x) use the evolvedirector that wrote it: " + required_text(file, "writer").substr(0, 64));
  const std::string found = required_text(file, "table");
  if (found != table)
    throw DataError(file.path() + ": holds the table " + found.substr(0, 64) + ", expected " +
                    std::string(table));
  return (*version)[1];
}

}  // namespace

FileHeader read_header(const h5::File& file) {
  FileHeader header;
  header.campaign = required_text(file, "campaign");
  header.stage = required_text(file, "stage");
  header.created = required_text(file, "created");
  header.writer = required_text(file, "writer");
  const auto round = file.numbers_attribute("round");
  if (!round || round->size() != 1)
    throw DataError(file.path() + ": root attribute round is missing or not one number");
  header.round = round->front();
  return header;
}

FileColumns::FileColumns(const std::filesystem::path& path, std::string_view table,
                         std::string_view first_column)
    : file_(path), raw_(path) {
  is_older_ = check_schema(file_, table) < format::kMinor;
  header_ = read_header(file_);
  rows_ = file_.dataset(std::string(first_column)).rows();
  if (rows_ > format::kMostRows) refuse(first_column, "more rows than a file may have");
}

bool FileColumns::is_absent(std::string_view column) const {
  return is_older_ && !file_.has(std::string(column));
}

h5::Dataset FileColumns::open(const std::string& name, const h5::Type& type,
                              std::optional<std::uint64_t> length) const {
  h5::Dataset dataset = file_.dataset(name);
  if (!(dataset.type() == type))
    refuse(name, "its type is " + dataset.type().describe() + ", expected " + type.describe());
  if (length && dataset.rows() != *length)
    refuse(name, std::to_string(dataset.rows()) + " elements, expected " + std::to_string(*length));
  return dataset;
}

h5::Dataset FileColumns::open_names(const std::string& column) const {
  const std::string name = format::beside(column, format::kNames);
  h5::Dataset dataset = file_.dataset(name);
  const auto bytes = dataset.type().fixed_text_bytes();
  if (!bytes || *bytes > format::kMostNameBytes || dataset.rows() > format::kMostNames)
    refuse(name, "its type is " + dataset.type().describe() + ", expected short UTF-8 texts");
  return dataset;
}

std::vector<std::uint8_t> FileColumns::choices(const std::string& name, const h5::Type& type,
                                               std::size_t choices) const {
  auto values = numbers<std::uint8_t>(name, type, rows_);
  for (std::size_t i = 0; i < values.size(); ++i)
    if (values[i] >= choices)
      refuse(name, i, "value " + std::to_string(values[i]) + " is none of its enum");
  return values;
}

std::string FileColumns::ids(const std::string& name, std::size_t hex_chars) const {
  const h5::Dataset dataset = open(name, h5::Type::ascii(hex_chars), rows_);
  std::string hex(rows_ * hex_chars, '\0');
  dataset.read(std::as_writable_bytes(std::span(hex)));
  const auto is_hex = [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); };
  const auto wrong = std::find_if_not(hex.begin(), hex.end(), is_hex);
  if (wrong != hex.end())
    refuse(name, static_cast<std::size_t>(wrong - hex.begin()) / hex_chars,
           "identifier is not " + std::to_string(hex_chars) + " lower-case hex characters");
  return hex;
}

Vocabulary FileColumns::vocabulary(const std::string& name) const {
  const h5::Dataset dataset = open_names(name);
  const std::size_t width = dataset.type().bytes();
  std::string padded(width * dataset.rows(), '\0');
  dataset.read(std::as_writable_bytes(std::span(padded)));
  Vocabulary found;
  found.words.resize(dataset.rows());
  for (std::size_t i = 0; i < found.words.size(); ++i) {
    const std::string_view word(&padded[i * width], width);
    found.words[i] = word.substr(0, word.find_last_not_of('\0') + 1);
    check_utf8(found.words[i], format::beside(name, format::kNames), i);
  }
  found.codes = numbers<std::int32_t>(name, h5::Type::i32(), rows_);
  for (std::size_t i = 0; i < found.codes.size(); ++i)
    if (found.codes[i] < 0 || static_cast<std::size_t>(found.codes[i]) >= found.words.size())
      refuse(name, i, "index " + std::to_string(found.codes[i]) + " is none of its names");
  return found;
}

Texts FileColumns::texts(const std::string& name) const {
  Ragged bytes = ragged(name);
  Texts texts{std::string(bytes.extent.bytes, '\0'), std::move(bytes.offsets)};
  raw_.read_at(bytes.extent.offset, std::as_writable_bytes(std::span(texts.all)));
  check_sum(file_.dataset(name), name, texts.all);
  for (std::size_t i = 0; i < rows_; ++i) check_utf8(texts.at(i), name, i);
  return texts;
}

std::vector<std::string> FileColumns::variable_texts(const std::string& name) const {
  const h5::Dataset dataset = open(name, h5::Type::utf8_variable(), rows_);
  auto texts = h5::read_variable_texts(
      dataset, raw_.size(),
      [&](std::uint64_t offset, std::span<std::byte> bytes) { raw_.read_at(offset, bytes); });
  std::string all;
  for (const auto& text : texts) all.append(text.c_str(), text.size() + 1);
  check_sum(dataset, name, all);
  for (std::size_t i = 0; i < texts.size(); ++i) check_utf8(texts[i], name, i);
  return texts;
}

Ragged FileColumns::ragged(const std::string& name) const {
  const h5::Dataset dataset = open(name, h5::Type::u8(), std::nullopt);
  if (dataset.layout() != h5::Layout::contiguous) refuse(name, "not contiguous");
  const std::string beside = format::beside(name, format::kOffsets);
  Ragged bytes{dataset.extent(), numbers<std::uint64_t>(beside, h5::Type::u64(), rows_ + 1)};
  const auto& offsets = bytes.offsets;
  if (offsets.front() != 0 || offsets.back() != dataset.rows() ||
      !std::is_sorted(offsets.begin(), offsets.end()))
    refuse(beside, "offsets do not rise from 0 to the number of bytes");
  return bytes;
}

std::vector<std::uint64_t> FileColumns::checksums(const std::string& name) const {
  return numbers<std::uint64_t>(format::beside(name, format::kXxh3), h5::Type::u64(), rows_);
}

Blob FileColumns::blob(const Ragged& where, std::uint64_t checksum, std::size_t row) const {
  Blob bytes(where.offsets[row + 1] - where.offsets[row]);
  raw_.read_at(where.extent.offset + where.offsets[row], bytes);
  if (xxh3_64(bytes) != checksum)
    throw DataError(path() + ": row " + std::to_string(row) +
                    ": checksum of its bytes is wrong (the file is damaged)");
  return bytes;
}

void FileColumns::refuse(std::string_view name, const std::string& why) const {
  throw DataError(path() + ": /" + std::string(name) + ": " + why);
}

void FileColumns::refuse(std::string_view name, std::size_t row, const std::string& why) const {
  refuse(name, "row " + std::to_string(row) + ": " + why);
}

void FileColumns::check_sum(const h5::Dataset& dataset, const std::string& name,
                            std::string_view all) const {
  const auto expected = dataset.number_attribute(format::kChecksum);
  if (!expected) refuse(name, "its attribute xxh3 is missing");
  if (xxh3_64(as_bytes(all)) != *expected)
    refuse(name, "checksum of its texts is wrong (the file is damaged)");
}

void FileColumns::check_utf8(std::string_view text, std::string_view name, std::size_t row) const {
  if (!is_utf8(text)) refuse(name, row, "not UTF-8");
}

}  // namespace evd::shard
