#include "paid_copies.hpp"

#include <algorithm>
#include <array>

#include "core/error.hpp"
#include "shard/identity.hpp"

namespace evd::hands {
namespace {

using shard::Outcome;

constexpr std::array<std::string_view, 4> kPicture = {"id", "key", "outcome", "sha256"};
constexpr std::array<std::string_view, 3> kReply = {"key", "outcome", "text"};

Sha256 digest_of(const shard::Answer& row) {
  return Sha256Stream().field(row.key.hex()).field(row.text).finish();
}

}  // namespace

void PaidCopies::keep_pictures(const std::filesystem::path& images) {
  const auto rows = shard::Table<shard::Image>(images).read(kPicture);
  files_.push_back(images);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    auto& known = pictures_[rows[i].id];
    if (rows[i].outcome < known.outcome)
      known = {files_.size() - 1, static_cast<std::int64_t>(i), rows[i].outcome};
  }
}

void PaidCopies::load_pictures() {
  current_.each_file(shard::table_name<shard::Image>(),
                     [this](const run::StageRef& ref, const auto& path) {
                       if (ref.stage == run::Stage::harvest) keep_pictures(path);
                     });
}

// The id is of key and bytes, so equal ids are the same picture, if the copy can still be read.
bool PaidCopies::is_published(const shard::Image& row) {
  const auto found = pictures_.find(row.id);
  if (found == pictures_.end() || found->second.outcome > row.outcome) return false;
  if (row.outcome != Outcome::ok) return true;
  const auto& place = found->second;
  try {
    if (!open_ || open_->first != place.file)
      open_.emplace(place.file, shard::Table<shard::Image>(files_[place.file]));
    return sha256(Bytes(open_->second.blob(place.row))) == row.sha256;
  } catch (const Error&) {
    return false;
  }
}

bool PaidCopies::holds_picture(const RequestKey& key, const Sha256& bytes) {
  shard::Image row;
  row.id = shard::image_id(key, bytes);
  row.outcome = Outcome::ok;
  row.sha256 = bytes;
  return is_published(row);
}

bool PaidCopies::is_recorded(const RequestKey& key, Outcome outcome,
                             const std::function<bool(const shard::Blob&)>& is_same) {
  const auto* recorded = journals().find(key);
  if (recorded == nullptr || !recorded->has_reply || recorded->outcome > outcome) return false;
  try {
    const auto reply = journals().reply(key);
    return reply && is_same(reply->payload);
  } catch (const Error&) {
    return false;  // damaged
  }
}

std::int64_t PaidCopies::pictures_only_in(const std::filesystem::path& images) {
  std::int64_t alone = 0;
  for (const auto& row : shard::Table<shard::Image>(images).read(kPicture)) {
    if (row.outcome == Outcome::open || is_published(row)) continue;
    const bool is_recorded_too = is_recorded(row.key, row.outcome, [&](const shard::Blob& payload) {
      return row.outcome != Outcome::ok || sha256(Bytes(payload)) == row.sha256;
    });
    alone += is_recorded_too ? 0 : 1;
  }
  return alone;
}

// Only results of the same stage and round are looked up when the stage is done again.
void PaidCopies::load_answers(const run::StageRef& ref) {
  if (current_.find(ref) != nullptr && !replies_.contains(ref))
    keep_answers(ref, current_.campaign().directory(ref) / "answers.h5");
}

void PaidCopies::keep_answers(const run::StageRef& ref, const std::filesystem::path& answers) {
  auto& replies = replies_[ref];
  for (const auto& row : shard::Table<shard::Answer>(answers).read(kReply)) {
    const auto [known, is_new] = replies.emplace(digest_of(row), row.outcome);
    known->second = std::min(known->second, row.outcome);
  }
}

std::int64_t PaidCopies::answers_only_in(const run::StageRef& ref,
                                         const std::filesystem::path& answers) {
  const auto& replies = replies_[ref];
  std::int64_t alone = 0;
  for (const auto& row : shard::Table<shard::Answer>(answers).read(kReply)) {
    if (row.outcome == Outcome::open) continue;
    const auto found = replies.find(digest_of(row));
    if (found != replies.end() && found->second <= row.outcome) continue;
    // A journal has the bytes as they came; a row may have been read as a refusal since.
    const bool is_recorded_too = is_recorded(row.key, row.outcome, [&](const shard::Blob& payload) {
      return std::string_view(reinterpret_cast<const char*>(payload.data()), payload.size()) ==
             row.text;
    });
    alone += is_recorded_too ? 0 : 1;
  }
  return alone;
}

const teacher::Journals& PaidCopies::journals() {
  if (!journals_) journals_.emplace(current_.campaign().calls());
  return *journals_;
}

}  // namespace evd::hands
