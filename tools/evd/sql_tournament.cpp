#include "sql_tournament.hpp"

#include <utility>

#include "core/error.hpp"
#include "core/id.hpp"

namespace evd::hands {
namespace {

template <class Columns>
std::size_t place_of(const Columns& columns, std::string_view name) {
  for (std::size_t i = 0; i < columns.size(); ++i)
    if (columns[i].name == name) return i;
  throw InternalError("no column " + std::string(name));
}

// Of an id or a word; empty for nothing.
std::string_view text_of(const shard::Cell& cell) {
  const auto* text = std::get_if<std::string_view>(&cell);
  return text == nullptr ? std::string_view() : *text;
}

ColumnMask bit(std::size_t column) { return ColumnMask{1} << column; }

}  // namespace

std::optional<std::string_view> Winners::of(std::string_view sample) {
  if (!std::exchange(is_read_, true)) {
    const std::size_t id = place_of(samples_.columns(), "id");
    const std::size_t target = place_of(samples_.columns(), "target_image");
    const std::string none = ImageId{}.hex();
    for (std::size_t i = 0; i < samples_.parts(); ++i) {
      const auto part = samples_.part(i, bit(id) | bit(target));
      if (!part) continue;
      for (std::size_t row = 0; row < part->rows(); ++row) {
        const auto image = text_of(part->at(target, row));
        if (image != none) targets_.emplace(text_of(part->at(id, row)), image);
      }
    }
  }
  const auto found = targets_.find(std::string(sample));
  if (found == targets_.end()) return std::nullopt;
  return found->second;
}

SqlColumn won_tournament_column() {
  return {
      "won_tournament", "INTEGER", "",
      "1 = the training target of its prompt, 0 = another teacher's is; nothing = no tournament",
      true};
}

TournamentPart::TournamentPart(std::unique_ptr<SqlPart> images, const shard::TableSchema& schema,
                               std::size_t own_columns, std::shared_ptr<Winners> winners)
    : images_(std::move(images)),
      own_columns_(own_columns),
      winners_(std::move(winners)),
      id_(place_of(schema.columns, "id")),
      prompt_id_(place_of(schema.columns, "prompt_id")),
      origin_(place_of(schema.columns, "origin")),
      outcome_(place_of(schema.columns, "outcome")) {}

void TournamentPart::load(ColumnMask used) {
  if (has_column(used, own_columns_))
    used |= bit(id_) | bit(prompt_id_) | bit(origin_) | bit(outcome_);
  images_->load(used);
}

std::string_view TournamentPart::text(std::size_t column, std::size_t row) const {
  return text_of(images_->at(column, row));
}

shard::Cell TournamentPart::at(std::size_t column, std::size_t row) const {
  if (column != own_columns_) return images_->at(column, row);
  if (text(origin_, row) == "base" || text(outcome_, row) != "ok") return {};
  const auto winner = winners_->of(text(prompt_id_, row));
  if (!winner) return {};
  return std::int64_t{*winner == text(id_, row)};
}

}  // namespace evd::hands
