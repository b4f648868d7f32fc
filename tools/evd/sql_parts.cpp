#include "sql_parts.hpp"

#include "core/error.hpp"

namespace evd::hands {
namespace {

shard::Cell view(const OwnedCell& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) return *number;
  if (const auto* number = std::get_if<double>(&value)) return *number;
  return std::string_view(std::get<std::string>(value));
}

}  // namespace

FilePart::FilePart(std::filesystem::path path, const shard::TableSchema& schema,
                   std::string campaign, std::vector<OwnedCell> same)
    : path_(std::move(path)),
      schema_(schema),
      campaign_(std::move(campaign)),
      same_(std::move(same)),
      columns_(schema.columns.size()) {
  open();
}

void FilePart::open() {
  file_ =
      std::make_unique<const shard::FileColumns>(path_, schema_.name, schema_.columns.front().name);
  if (file_->header().campaign != campaign_)
    throw DataError(path_.string() + ": of another campaign (copied here?) remove it");
  if (rows_ && *rows_ != file_->rows())
    throw DataError(path_.string() + ": was replaced while it was read; ask again");
  rows_ = file_->rows();
}

void FilePart::load(ColumnMask used) {
  for (std::size_t i = 0; i < columns_.size(); ++i) {
    if (!has_column(used, i) || columns_[i]) continue;
    if (!file_) open();
    columns_[i] = std::make_unique<const shard::ColumnValues>(*file_, schema_.columns[i]);
    has_blobs_ = has_blobs_ || schema_.columns[i].kind == shard::ColumnKind::blob;
  }
  loaded_ |= used;
  // What is in memory needs no descriptor; a campaign has more files than a process may open.
  if (!has_blobs_) file_.reset();
}

shard::Cell FilePart::at(std::size_t column, std::size_t row) const {
  if (column < columns_.size()) return columns_[column]->at(row);
  return view(same_.at(column - columns_.size()));
}

std::size_t FilePart::bytes() const {
  std::size_t bytes = sizeof(*this);
  for (const auto& column : columns_)
    if (column) bytes += column->bytes();
  return bytes;
}

shard::Cell MemoryPart::at(std::size_t column, std::size_t row) const {
  return view(rows_.at(row).at(column));
}

}  // namespace evd::hands
