#include "shard/catalog.hpp"

#include <algorithm>
#include <list>
#include <mutex>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shard/manifest.hpp"

namespace evd::shard {
namespace {

struct Listed {
  std::filesystem::path path;
  std::string table;
  std::string stage;
  std::string campaign;
  std::int32_t round = 0;
  std::int64_t created_ms = 0;
};

// Subdirectories in name order, so that what is reported does not depend on the file system.
std::vector<std::filesystem::path> directories_in(const std::filesystem::path& parent) {
  std::vector<std::filesystem::path> found;
  std::error_code error;
  for (std::filesystem::directory_iterator at(parent, error), end; !error && at != end;
       at.increment(error))
    if (at->is_directory(error)) found.push_back(at->path());
  std::sort(found.begin(), found.end());
  return found;
}

// prompts, start/*, rounds/*/*, with the retired ones that stand beside them.
std::vector<std::filesystem::path> stage_directories(const std::filesystem::path& campaign) {
  std::vector<std::filesystem::path> found;
  for (const auto& directory : directories_in(campaign))
    if (directory.filename().string().starts_with("prompts")) found.push_back(directory);
  const auto take = [&](const std::filesystem::path& parent) {
    const auto stages = directories_in(parent);
    found.insert(found.end(), stages.begin(), stages.end());
  };
  take(campaign / "start");
  for (const auto& round : directories_in(campaign / "rounds")) take(round);
  return found;
}

// A damaged file is passed over, and one that is gone. One that a failing disk does not give is
// neither: going on without it would pay again for what it holds.
void throw_if_disk_fails(const Error& error, const std::filesystem::path& path) {
  std::error_code trouble;
  const bool there = std::filesystem::exists(path, trouble) || trouble;
  if (there && dynamic_cast<const IoError*>(&error) != nullptr) throw IoError(error.what());
}

}  // namespace

struct Catalog::State {
  // Enough for a batch that draws from many shards; two descriptors each.
  static constexpr std::size_t kMostOpen = 128;
  using Shared = std::shared_ptr<const Table<Image>>;

  std::filesystem::path campaign;
  std::unordered_map<Sha256, Listed> files;
  std::vector<std::string> problems;

  std::mutex mutex;
  std::list<std::pair<Sha256, Shared>> open;  // newest first
  std::unordered_map<Sha256, std::unique_ptr<const std::vector<Image>>> rows;
  bool is_indexed = false;
  std::unordered_map<RequestKey, ImageLocation> by_key;

  const Listed& listed(const Sha256& shard) const {
    const auto found = files.find(shard);
    if (found == files.end())
      throw DataError(campaign.string() + ": no manifest lists the file with SHA-256 " +
                      shard.hex() + " (was a result removed? try evd verify)");
    return found->second;
  }

  // A picture of another campaign would be found sound, and trained on.
  static Shared opened(const Listed& file) {
    auto table = std::make_shared<const Table<Image>>(file.path);
    if (table->header().campaign != file.campaign)
      throw DataError(file.path.string() + ": is of campaign " +
                      printable(table->header().campaign) + ", not of " + file.campaign +
                      " (was it copied here?)");
    return table;
  }

  // Call with the mutex held.
  Shared table(const Sha256& shard) {
    const auto at = std::find_if(open.begin(), open.end(),
                                 [&](const auto& entry) { return entry.first == shard; });
    if (at != open.end()) {
      open.splice(open.begin(), open, at);
    } else {
      open.emplace_front(shard, opened(listed(shard)));
      if (open.size() > kMostOpen) open.pop_back();
    }
    return open.front().second;
  }

  // Call with the mutex held. Later results win over earlier ones.
  void index() {
    static constexpr std::array<std::string_view, 2> kColumns = {"key", "outcome"};
    std::vector<std::pair<Listed, Sha256>> order;
    for (const auto& [shard, file] : files)
      if (file.table == table_name<Image>() && file.stage == "harvest")
        order.emplace_back(file, shard);
    std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
      return std::pair(a.first.created_ms, a.first.path) <
             std::pair(b.first.created_ms, b.first.path);
    });
    for (const auto& [file, shard] : order) try {
        const auto images = Table<Image>(file.path).read(kColumns);
        for (std::size_t i = 0; i < images.size(); ++i)
          if (images[i].outcome != Outcome::open && !images[i].key.is_none())
            by_key[images[i].key] = {shard, static_cast<std::int32_t>(i)};
      } catch (const Error& error) {
        throw_if_disk_fails(error, file.path);
        problems.emplace_back(error.what());
      }
    is_indexed = true;
  }
};

Catalog::Catalog(std::filesystem::path campaign) : state_(std::make_unique<State>()) {
  state_->campaign = std::move(campaign);
  for (const auto& directory : stage_directories(state_->campaign)) try {
      const auto manifest = read_manifest(directory);
      if (!manifest) continue;
      for (const auto& file : manifest->files)
        state_->files[file.sha256] = {directory / file.name, file.table,      manifest->stage,
                                      manifest->campaign,    manifest->round, manifest->created_ms};
    } catch (const Error& error) {
      throw_if_disk_fails(error, directory);
      state_->problems.emplace_back(error.what());
    }
}

Catalog::~Catalog() = default;
Catalog::Catalog(Catalog&&) noexcept = default;

const std::vector<std::string>& Catalog::problems() const { return state_->problems; }

std::filesystem::path Catalog::path(const Sha256& shard) const {
  return state_->listed(shard).path;
}

std::vector<Catalog::Listing> Catalog::files(std::string_view table) const {
  std::vector<std::pair<std::int64_t, Listing>> order;
  for (const auto& [sha256, file] : state_->files)
    if (file.table == table) order.push_back({file.created_ms, {file.path, sha256, file.round}});
  std::sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return std::pair(b.first, a.second.path) < std::pair(a.first, b.second.path);
  });
  std::vector<Listing> found;
  for (auto& [created_ms, listing] : order) found.push_back(std::move(listing));
  return found;
}

const std::vector<Image>& Catalog::images(const Sha256& shard) const {
  const std::lock_guard lock(state_->mutex);
  auto& rows = state_->rows[shard];
  if (!rows) rows = std::make_unique<const std::vector<Image>>(state_->table(shard)->read());
  return *rows;
}

Blob Catalog::bytes(const ImageLocation& where) const {
  State::Shared table;
  {
    const std::lock_guard lock(state_->mutex);
    table = state_->table(where.shard);
  }
  if (where.row < 0 || where.row >= table->rows())
    throw DataError(path(where.shard).string() + ": no row " + std::to_string(where.row) +
                    " (a pointer leads to it)");
  return table->blob(where.row);
}

std::optional<ImageLocation> Catalog::find(const RequestKey& key) const {
  const std::lock_guard lock(state_->mutex);
  if (!state_->is_indexed) state_->index();
  const auto found = state_->by_key.find(key);
  if (found == state_->by_key.end()) return std::nullopt;
  return found->second;
}

}  // namespace evd::shard
