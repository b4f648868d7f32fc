#include "evaluate/part.hpp"

#include <algorithm>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "fs/file.hpp"
#include "image/image.hpp"
#include "shard/identity.hpp"

namespace evd::evaluate {
namespace {

RequestKey key_of(const Settings& settings, const Picture& picture) {
  return render_key(picture, settings.generator.checkpoint(), settings.sampler, settings.seed);
}

int width_of(const Settings& settings, const Picture& picture) {
  return picture.width_px == 0 ? settings.side_px : picture.width_px;
}
int height_of(const Settings& settings, const Picture& picture) {
  return picture.height_px == 0 ? settings.side_px : picture.height_px;
}

bool holds(const shard::Table<shard::Image>& table, const std::vector<shard::Image>& rows,
           const Settings& settings, std::span<const Picture> pictures) {
  if (table.header().round != settings.round || rows.size() != pictures.size()) return false;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].prompt_id != pictures[i].prompt_id || rows[i].key != key_of(settings, pictures[i]))
      return false;
    if (sha256(table.blob(static_cast<std::int64_t>(i))) != rows[i].sha256) return false;
  }
  return true;
}

}  // namespace

shard::Image stored_row(const Settings& settings, const Picture& picture, shard::Blob png) {
  shard::Image row;
  row.prompt_id = picture.prompt_id;
  row.key = key_of(settings, picture);
  row.round = settings.round;
  row.split = picture.split;
  row.origin = shard::Origin::base;
  row.teacher = row.model = row.model_echo = shard::Name{"base"};
  row.seed = static_cast<std::int64_t>(picture.noise_id);
  row.requested_width = row.width = width_of(settings, picture);
  row.requested_height = row.height = height_of(settings, picture);
  row.mime = shard::Name{"image/png"};
  row.attempts = 1;
  row.checkpoint = settings.generator.checkpoint();
  row.bytes = std::move(png);
  row.sha256 = sha256(row.bytes);
  row.id = shard::image_id(row.key, row.sha256);
  return row;
}

std::vector<shard::Image> render_rows(const Settings& settings, std::span<const Picture> pictures) {
  std::vector<nn::RenderRequest> requests;
  for (const Picture& picture : pictures)
    requests.push_back(
        {picture.prompt, picture.noise_id, picture.height_px, picture.width_px, picture.aspect});
  const std::int64_t asked_ms = utc_ms();
  auto drawn = settings.generator.render(requests, settings.sampler, settings.seed);
  const std::int64_t answered_ms = utc_ms();
  if (drawn.size() != pictures.size())
    throw InternalError("the generator gave " + std::to_string(drawn.size()) + " pictures for " +
                        std::to_string(pictures.size()) + " prompts");
  std::vector<shard::Image> rows;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    rows.push_back(
        stored_row(settings, pictures[i],
                   image::encode_png({width_of(settings, pictures[i]),
                                      height_of(settings, pictures[i]), std::move(drawn[i])})));
    rows.back().asked_ms = asked_ms;
    rows.back().answered_ms = answered_ms;
  }
  return rows;
}

PartRows part_rows(const Settings& settings, std::span<const Picture> pictures,
                   RetiredRenders& retired) {
  PartRows part;
  part.rows.resize(pictures.size());
  std::vector<Picture> wanted;
  std::vector<std::size_t> places;
  for (std::size_t i = 0; i < pictures.size(); ++i) {
    if (auto png = retired.find(key_of(settings, pictures[i]))) {
      part.rows[i] = stored_row(settings, pictures[i], std::move(*png));
      ++part.reused;
    } else {
      wanted.push_back(pictures[i]);
      places.push_back(i);
    }
  }
  if (wanted.empty()) return part;
  auto drawn = render_rows(settings, wanted);
  for (std::size_t i = 0; i < drawn.size(); ++i) part.rows[places[i]] = std::move(drawn[i]);
  return part;
}

std::optional<shard::FileEntry> finished_part(const std::filesystem::path& path,
                                              const Settings& settings,
                                              std::span<const Picture> pictures) {
  if (!std::filesystem::exists(path)) return std::nullopt;
  try {
    const shard::Table<shard::Image> table(path);
    const auto rows = table.read();
    if (!holds(table, rows, settings, pictures)) return std::nullopt;
    return shard::FileEntry{path.filename().string(),
                            std::string(shard::table_name<shard::Image>()),
                            static_cast<std::int64_t>(rows.size()),
                            static_cast<std::int64_t>(std::filesystem::file_size(path)),
                            fs::sha256_file(path),
                            shard::content_digest<shard::Image>(rows)};
  } catch (const DataError&) {
    return std::nullopt;  // renders cost nothing but time: draw a damaged part again
  }
}

}  // namespace evd::evaluate
