#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>

#include "shard/schema.hpp"
#include "sql_table.hpp"

namespace evd::hands {

/// Which picture won each sample's tournament, read from the table `samples` when first asked.
class Winners {
 public:
  explicit Winners(SqlTable& samples) : samples_(samples) {}
  /// Id of the target picture; nothing when the sample has none.
  [[nodiscard]] std::optional<std::string_view> of(std::string_view sample);

 private:
  SqlTable& samples_;
  bool is_read_ = false;
  std::unordered_map<std::string, std::string> targets_;
};

/// The column that TournamentPart adds behind those of `images`.
[[nodiscard]] SqlColumn won_tournament_column();

/// A part of `images` with one column more: whether the picture won the tournament of its prompt.
class TournamentPart final : public SqlPart {
 public:
  /// `own_columns`: columns of `images`, the added one left out.
  TournamentPart(std::unique_ptr<SqlPart> images, const shard::TableSchema& schema,
                 std::size_t own_columns, std::shared_ptr<Winners> winners);

  [[nodiscard]] std::size_t rows() const override { return images_->rows(); }
  void load(ColumnMask used) override;
  [[nodiscard]] ColumnMask loaded() const override { return images_->loaded(); }
  [[nodiscard]] shard::Cell at(std::size_t column, std::size_t row) const override;
  [[nodiscard]] std::size_t bytes() const override { return images_->bytes(); }
  [[nodiscard]] bool is_open() const override { return images_->is_open(); }

 private:
  [[nodiscard]] std::string_view text(std::size_t column, std::size_t row) const;
  std::unique_ptr<SqlPart> images_;
  std::size_t own_columns_;
  std::shared_ptr<Winners> winners_;
  std::size_t id_;
  std::size_t prompt_id_;
  std::size_t origin_;
  std::size_t outcome_;
};

}  // namespace evd::hands
