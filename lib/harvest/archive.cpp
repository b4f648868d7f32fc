#include "harvest/archive.hpp"

#include "core/error.hpp"

namespace evd::harvest {

Archive::Archive(const std::filesystem::path& campaign, const std::vector<std::string>& known_files)
    : campaign_(campaign),
      journals_(std::make_shared<teacher::Journals>(campaign / "calls", known_files)) {}

const shard::Catalog& Archive::catalog() const {
  if (catalog_ == nullptr) catalog_ = std::make_unique<const shard::Catalog>(campaign_);
  return *catalog_;
}

std::optional<Archive::Found> Archive::find(const RequestKey& key) const {
  std::optional<Found> best;
  const teacher::Recorded* recorded = journals_->find(key);
  if (recorded != nullptr && recorded->has_reply && !recorded->settled)
    best = Found{.outcome = recorded->outcome, .bytes = recorded->payload_bytes};
  if (best && best->outcome == shard::Outcome::ok) return best;
  const auto location = catalog().find(key);
  if (!location) return best;
  const shard::Image& image =
      catalog().images(location->shard).at(static_cast<std::size_t>(location->row));
  if (!best || image.outcome < best->outcome)
    best = Found{.outcome = image.outcome, .published = location};
  return best;
}

bool Archive::knows(const RequestKey& key) const {
  return journals_->find(key) != nullptr || catalog().find(key).has_value();
}

std::optional<std::string> Archive::drop_if_damaged(const RequestKey& key) {
  try {
    static_cast<void>(journals_->reply(key));
    return std::nullopt;
  } catch (const DataError& error) {
    journals_->lose(key);
    return error.what();
  }
}

bool Archive::is_published(const RequestKey& key) const {
  const auto location = catalog().find(key);
  return location &&
         catalog().images(location->shard).at(static_cast<std::size_t>(location->row)).outcome ==
             shard::Outcome::ok;
}

std::optional<shard::Image> Archive::published_row(const RequestKey& key) const {
  const auto location = catalog().find(key);
  if (!location) return std::nullopt;
  shard::Image row = catalog().images(location->shard).at(static_cast<std::size_t>(location->row));
  if (row.outcome == shard::Outcome::ok) row.bytes = catalog().bytes(*location);
  return row;
}

std::uint64_t Archive::picture_bytes(const Found& found) const {
  if (!found.published) return found.bytes;
  return found.outcome == shard::Outcome::ok ? catalog().bytes(*found.published).size() : 0;
}

}  // namespace evd::harvest
