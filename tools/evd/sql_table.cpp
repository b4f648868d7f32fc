#include "sql_table.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/hash.hpp"

namespace evd::hands {
namespace {

// What stays in memory for joins that come back to it, and how many files stay open.
constexpr std::size_t kMostKeptBytes = std::size_t{1} << 30;
constexpr std::size_t kMostOpen = 128;

}  // namespace

void SqlTable::add_part(Open open, std::int64_t rows) {
  parts_.push_back({std::move(open)});
  rows_ += rows;
}

std::shared_ptr<const SqlPart> SqlTable::part(std::size_t index, ColumnMask used) {
  Part& wanted = parts_.at(index);
  if (wanted.is_damaged) return nullptr;
  if (wanted.content && (used & ~wanted.content->loaded()) == 0) return wanted.content;
  try {
    if (!wanted.content) wanted.content = wanted.open();
    wanted.content->load(used);
  } catch (const Error& error) {
    if (error.code() != ExitCode::data && error.code() != ExitCode::io) throw;
    note_problem(error.what());
    wanted.is_damaged = true;
    wanted.content.reset();
    return nullptr;
  }
  kept_.remove(index);
  kept_.push_front(index);
  forget_oldest();
  return wanted.content;
}

// Never the newest.
void SqlTable::forget_oldest() {
  std::size_t bytes = 0;
  std::size_t open = 0;
  for (auto at = kept_.begin(); at != kept_.end();) {
    auto& content = parts_[*at].content;
    if (content) {
      bytes += content->bytes();
      open += content->is_open() ? 1 : 0;
    }
    const bool is_too_much = bytes > kMostKeptBytes || open > kMostOpen;
    if (!content || (is_too_much && at != kept_.begin())) {
      content.reset();
      at = kept_.erase(at);
    } else {
      ++at;
    }
  }
}

SqlTable::Index SqlTable::make_index(std::size_t column) {
  Index index;
  index.reserve(static_cast<std::size_t>(rows_));
  const ColumnMask mask = ColumnMask{1} << std::min<std::size_t>(column, 63);
  for (std::uint32_t i = 0; i < parts_.size(); ++i) {
    const auto rows = part(i, mask);
    if (!rows) continue;
    for (std::uint32_t row = 0; row < rows->rows(); ++row) {
      const auto cell = rows->at(column, row);
      if (const auto* id = std::get_if<std::string_view>(&cell))
        index.push_back({xxh3_64(as_bytes(*id)), {i, row}});
    }
  }
  std::sort(index.begin(), index.end(), [](const Entry& a, const Entry& b) {
    return std::pair(a.hash, a.where.rowid()) < std::pair(b.hash, b.where.rowid());
  });
  return index;
}

std::vector<RowAddress> SqlTable::find(std::size_t column, std::string_view id) {
  if (!indices_.contains(column)) indices_[column] = make_index(column);
  const Index& index = indices_[column];
  const std::uint64_t hash = xxh3_64(as_bytes(id));
  auto at = std::lower_bound(
      index.begin(), index.end(), hash,
      [](const Entry& entry, std::uint64_t wanted) { return entry.hash < wanted; });
  std::vector<RowAddress> found;
  for (; at != index.end() && at->hash == hash; ++at) found.push_back(at->where);
  return found;
}

}  // namespace evd::hands
