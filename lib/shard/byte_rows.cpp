#include "shard/byte_rows.hpp"

#include <algorithm>
#include <mutex>

#include "core/error.hpp"
#include "core/hash.hpp"
#include "core/xxh3_stream.hpp"
#include "shard/columns.hpp"
#include "shard/file_columns.hpp"
#include "shard/instances.hpp"
#include "shard/table.hpp"

namespace evd::shard {

struct ByteRows::Held {
  std::mutex mutex;
  std::shared_ptr<const fs::ReadFile> file;
};

template <class Row>
ByteRows ByteRows::of(const std::filesystem::path& path, const std::string& name) {
  std::string_view first;
  for_each_column<Row>([&](const auto& column) {
    if (first.empty()) first = column.name;
  });
  const FileColumns columns(path, table_name<Row>(), first);
  Ragged ragged = columns.ragged(name);
  ByteRows rows;
  rows.path_ = path;
  rows.begin_ = ragged.extent.offset;
  rows.offsets_ = std::move(ragged.offsets);
  rows.sums_ = columns.checksums(name);
  rows.held_ = std::make_shared<Held>();
  return rows;
}

std::shared_ptr<const fs::ReadFile> ByteRows::file() const {
  const std::lock_guard lock(held_->mutex);
  if (!held_->file) held_->file = std::make_shared<const fs::ReadFile>(path_);
  return held_->file;
}

void ByteRows::close() const {
  const std::lock_guard lock(held_->mutex);
  held_->file.reset();
}

void ByteRows::read(std::size_t row, std::span<std::byte> buffer,
                    const std::function<void(Bytes)>& take) const {
  if (row >= rows() || buffer.empty())
    throw InternalError(path_.string() + ": no such bytes of row " + std::to_string(row));
  const auto open = file();
  Xxh3Stream sum;
  for (std::uint64_t done = 0; done < bytes(row);) {
    const auto piece = buffer.first(std::min<std::uint64_t>(buffer.size(), bytes(row) - done));
    open->read_at(begin_ + offsets_[row] + done, piece);
    sum.update(piece);
    take(piece);
    done += piece.size();
  }
  if (sum.value() != sums_[row])
    throw DataError(path_.string() + ": row " + std::to_string(row) +
                    ": checksum of its bytes is wrong (the file is damaged)");
}

#define EVD_INSTANCE(Row) \
  template ByteRows ByteRows::of<Row>(const std::filesystem::path&, const std::string&);
EVD_SHARD_ROWS(EVD_INSTANCE)
#undef EVD_INSTANCE

}  // namespace evd::shard
