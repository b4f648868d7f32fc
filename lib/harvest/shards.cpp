#include "harvest/shards.hpp"

#include <memory>
#include <utility>

#include "core/error.hpp"
#include "core/text.hpp"
#include "harvest/background.hpp"
#include "image/image.hpp"
#include "run/file_entries.hpp"
#include "shard/identity.hpp"

namespace evd::harvest {
namespace {

std::string part_name(std::size_t index) { return format("images-%05zu.h5", index); }

// What the request alone says.
shard::Image asked_row(const Input& input, const Draw& draw, int round) {
  const auto& service = input.rules.teachers[draw.teacher];
  return {.prompt_id = input.set[draw.sample].id,
          .key = draw.key,
          .round = round,
          .split = input.set[draw.sample].split,
          .origin = shard::Origin::teacher,
          .teacher = {service.name},
          .model = {service.model},
          .sample_index = draw.sample_index,
          .outcome = shard::Outcome::open,
          .requested_width = draw.width,
          .requested_height = draw.height};
}

void add_reply(shard::Image& row, teacher::Reply reply) {
  row.outcome = reply.outcome;
  row.reason = {reply.reason};
  row.model_echo = {reply.model_echo};
  row.request_id = std::move(reply.request_id);
  row.revised_prompt = std::move(reply.revised_prompt);
  row.cost_microusd = reply.cost_microusd;
  row.asked_ms = reply.asked_ms;
  row.answered_ms = reply.answered_ms;
  row.attempts = reply.attempts;
  if (reply.outcome != shard::Outcome::ok) return;
  const auto info = image::probe(reply.payload);
  row.width = info.width;
  row.height = info.height;
  row.mime = {info.mime};
  row.sha256 = sha256(reply.payload);
  row.bytes = std::move(reply.payload);
}

}  // namespace

std::vector<Part> cut(const Input& input, const Archive& archive, double shard_mib) {
  const double limit_bytes = shard_mib * 1048576;
  std::vector<Part> parts(1);
  double bytes = 0;
  for (std::size_t i = 0; i < input.draws.size(); ++i) {
    const auto found = archive.find(input.draws[i].key);
    const double more = found ? static_cast<double>(archive.picture_bytes(*found)) : 0;
    // Rows cost a little too: a result without pictures is cut as well.
    if (bytes + more > limit_bytes && parts.back().last > parts.back().first) {
      parts.push_back({i, i});
      bytes = 0;
    }
    bytes += more + 1024;
    parts.back().last = i + 1;
  }
  return parts;
}

shard::Image image_row(const Input& input, const Draw& draw, const Archive& archive, int round) {
  const auto found = archive.find(draw.key);
  if (found && found->published) return archive.published_row(draw.key).value();
  shard::Image row = asked_row(input, draw, round);
  if (found) try {
      add_reply(row, archive.journals()->reply(draw.key).value());
    } catch (const DataError&) {
      // Rank 0 found the journal's copy damaged and a published one whole, or it asked again.
      if (auto published = archive.published_row(draw.key)) return std::move(*published);
      throw;
    }
  row.id = shard::image_id(row.key, row.sha256);
  return row;
}

std::vector<shard::FileEntry> publish_parts(const run::Context& context, const Input& input,
                                            const Archive& archive,
                                            const std::vector<Part>& parts) {
  const auto ranks = static_cast<std::size_t>(context.world.size());
  std::vector<shard::FileEntry> mine;
  Background<shard::FileEntry> publishing;
  const auto header = context.header();
  // One part is published while the rows of the next are read: two are in memory at most.
  for (auto i = static_cast<std::size_t>(context.world.rank()); i < parts.size(); i += ranks) {
    auto rows = std::make_shared<std::vector<shard::Image>>();
    for (std::size_t at = parts[i].first; at < parts[i].last; ++at)
      rows->push_back(image_row(input, input.draws[at], archive, context.self.round));
    if (auto entry = publishing.finish()) mine.push_back(*std::move(entry));
    publishing.begin([path = context.directory / part_name(i), &header, rows] {
      return shard::write_table<shard::Image>(path, header, *rows);
    });
    rows.reset();
  }
  if (auto entry = publishing.finish()) mine.push_back(*std::move(entry));
  return run::gather_files(mine, context.world);
}

void remove_stray_parts(const run::Context& context, std::size_t parts) {
  for (std::size_t i = parts;; ++i) {
    const auto path = context.directory / part_name(i);
    if (!std::filesystem::exists(path)) return;
    std::filesystem::remove(path);
  }
}

}  // namespace evd::harvest
