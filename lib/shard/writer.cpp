#include <algorithm>
#include <optional>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/publish.hpp"
#include "h5/memory_file.hpp"
#include "shard/columns.hpp"
#include "shard/format.hpp"
#include "shard/instances.hpp"
#include "shard/storage.hpp"
#include "shard/table.hpp"

namespace evd::shard {
namespace {

// Bytes whose place in the finished file is kept.
struct Reserved {
  std::uint64_t offset = 0;
  std::uint64_t bytes = 0;
  std::vector<Bytes> pieces;
};

void copy_to(h5::FileImage& image, const Reserved& reserved) {
  auto* out = image.bytes().data() + reserved.offset;
  for (const Bytes piece : reserved.pieces) out = std::copy(piece.begin(), piece.end(), out);
}

// What the file consists of, in order: pictures are taken from the rows, the rest from the image.
std::vector<Bytes> pieces_of(const Bytes image, const Reserved& pictures) {
  if (pictures.bytes == 0) return {image};
  std::vector<Bytes> pieces{image.first(pictures.offset)};
  pieces.insert(pieces.end(), pictures.pieces.begin(), pictures.pieces.end());
  pieces.push_back(image.subspan(pictures.offset + pictures.bytes));
  return pieces;
}

// A file that is ready to be written.
struct Built {
  h5::FileImage image;
  Reserved pictures;
};

template <class Row>
class Writer {
 public:
  Writer(const std::filesystem::path& path, std::span<const Row> rows)
      : path_(path.string()), rows_(rows), file_(path_) {}

  Built finish(const FileHeader& header) {
    for_each_column<Row>([&](const auto& column) {
      write(column);
      describe(column);
    });
    write_header(header);
    h5::FileImage image = file_.finish();
    for (const auto& texts : texts_) copy_to(image, texts);
    return {std::move(image), std::move(pictures_)};
  }

 private:
  template <class T>
  void write(const Column<Row, T>& column) {
    const std::string name(column.name);
    if constexpr (kIsBlob<T>) {
      write_blobs(column, name);
    } else if constexpr (kIsText<T>) {
      if (format::is_variable_text(table_name<Row>(), column.name))
        write_variable(column, name);
      else
        write_texts(column, name);
    } else if constexpr (kIsName<T>) {
      write_names(column, name);
    } else if constexpr (kIsHexId<T>) {
      std::string hex;
      hex.reserve(rows_.size() * T::kHexChars);
      for (const Row& row : rows_) hex += column.of(row).hex();
      file_.write(name, storage_type<T>(), rows_.size(), as_bytes(hex));
    } else {
      std::vector<Stored<T>> values(rows_.size());
      for (std::size_t i = 0; i < rows_.size(); ++i) values[i] = to_stored(column.of(rows_[i]));
      file_.write(name, storage_type<T>(), rows_.size(), std::as_bytes(std::span(values)));
    }
  }

  void write_names(const Column<Row, Name>& column, const std::string& name) {
    std::vector<std::string_view> words;
    for (const Row& row : rows_) words.push_back(column.of(row).text);
    std::sort(words.begin(), words.end());
    words.erase(std::unique(words.begin(), words.end()), words.end());
    std::size_t longest = 1;
    for (const auto word : words) {
      check_text(word, name);
      if (word.size() > format::kMostNameBytes || word.find('\0') != std::string_view::npos)
        refuse(name, "a word is longer than 4096 bytes or holds a zero byte");
      longest = std::max(longest, word.size());
    }
    std::vector<std::int32_t> codes;
    codes.reserve(rows_.size());
    for (const Row& row : rows_) {
      const auto at = std::lower_bound(words.begin(), words.end(), column.of(row).text);
      codes.push_back(static_cast<std::int32_t>(at - words.begin()));
    }
    std::string padded(longest * words.size(), '\0');
    for (std::size_t i = 0; i < words.size(); ++i) words[i].copy(&padded[i * longest], longest);
    file_.write(name, h5::Type::i32(), codes.size(), std::as_bytes(std::span(codes)));
    file_.write(format::beside(name, format::kNames), h5::Type::utf8(longest), words.size(),
                as_bytes(padded));
  }

  void write_variable(const Column<Row, std::string>& column, const std::string& name) {
    std::vector<const char*> texts;
    std::string all;
    for (const Row& row : rows_) {
      const std::string& text = column.of(row);
      check_text(text, name);
      if (text.find('\0') != std::string::npos) refuse(name, "a text holds a zero byte");
      texts.push_back(text.c_str());
      all.append(text.c_str(), text.size() + 1);
    }
    file_.write_variable(name, texts);
    file_.attribute(name, format::kChecksum, xxh3_64(as_bytes(all)));
  }

  void write_texts(const Column<Row, std::string>& column, const std::string& name) {
    std::vector<Bytes> pieces;
    std::string all;
    for (const Row& row : rows_) {
      check_text(column.of(row), name);
      pieces.push_back(as_bytes(column.of(row)));
      all += column.of(row);
    }
    texts_.push_back(write_ragged(name, std::move(pieces)));
    file_.attribute(name, format::kChecksum, xxh3_64(as_bytes(all)));
  }

  void write_blobs(const Column<Row, Blob>& column, const std::string& name) {
    std::vector<Bytes> pieces;
    std::vector<std::uint64_t> sums;
    for (const Row& row : rows_) {
      pieces.emplace_back(column.of(row));
      sums.push_back(xxh3_64(pieces.back()));
    }
    pictures_ = write_ragged(name, std::move(pieces));  // a table has one such column at most
    file_.write(format::beside(name, format::kXxh3), h5::Type::u64(), sums.size(),
                std::as_bytes(std::span(sums)));
  }

  [[nodiscard]] Reserved write_ragged(const std::string& name, std::vector<Bytes> pieces) {
    std::vector<std::uint64_t> offsets{0};
    for (const Bytes piece : pieces) offsets.push_back(offsets.back() + piece.size());
    const std::uint64_t offset = file_.reserve_bytes(name, offsets.back());
    file_.write(format::beside(name, format::kOffsets), h5::Type::u64(), offsets.size(),
                std::as_bytes(std::span(offsets)));
    return {offset, offsets.back(), std::move(pieces)};
  }

  template <class T>
  void describe(const Column<Row, T>& column) {
    const std::string name(column.name);
    if (!column.info.unit.empty()) file_.attribute(name, format::kUnit, column.info.unit);
    if (!column.info.meaning.empty()) file_.attribute(name, format::kMeaning, column.info.meaning);
    if (column.info.is_volatile) file_.attribute(name, format::kVolatile, std::uint64_t{1});
  }

  void write_header(const FileHeader& header) {
    static constexpr std::array<std::int32_t, 2> kVersion = {format::kMajor, format::kMinor};
    file_.attribute("/", "schema", format::kSchema);
    file_.attribute("/", "version", kVersion);
    file_.attribute("/", "table", table_name<Row>());
    file_.attribute("/", "campaign", header.campaign);
    file_.attribute("/", "round", std::span(&header.round, 1));
    file_.attribute("/", "stage", header.stage);
    file_.attribute("/", "writer", "evolvedirector " EVD_VERSION);
    file_.attribute("/", "created", header.created.empty() ? iso8601(utc_ms()) : header.created);
  }

  void check_text(std::string_view text, const std::string& column) const {
    if (!is_utf8(text)) refuse(column, "a text is not UTF-8");
    if (text.size() > format::kMostTextBytes) refuse(column, "a text is longer than 64 MiB");
  }
  [[noreturn]] void refuse(const std::string& column, const std::string& why) const {
    throw DataError(path_ + ": /" + column + ": " + why + " (it was not written)");
  }

  std::string path_;
  std::span<const Row> rows_;
  h5::MemoryFile file_;
  std::vector<Reserved> texts_;
  Reserved pictures_;
};

}  // namespace

template <class Row>
FileEntry write_table(const std::filesystem::path& path, const FileHeader& header,
                      std::span<const Row> rows) {
  Built built = Writer<Row>(path, rows).finish(header);
  const std::vector<Bytes> pieces = pieces_of(built.image.bytes(), built.pictures);
  const auto opens = [&](const std::filesystem::path& written) {
    if (Table<Row>(written).rows() != static_cast<std::int64_t>(rows.size()))
      throw IoError(path.string() + ": holds another number of rows than were written");
  };
  FileEntry entry;
  entry.name = path.filename().string();
  entry.table = table_name<Row>();
  entry.rows = static_cast<std::int64_t>(rows.size());
  entry.bytes = static_cast<std::int64_t>(built.image.bytes().size());
  entry.content = content_digest(rows);
  entry.sha256 = fs::publish(path, pieces, opens);
  return entry;
}

#define EVD_INSTANCE(Row)                                                              \
  template FileEntry write_table<Row>(const std::filesystem::path&, const FileHeader&, \
                                      std::span<const Row>);
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
