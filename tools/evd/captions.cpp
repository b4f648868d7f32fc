#include "captions.hpp"

#include <optional>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/csv.hpp"
#include "fs/file.hpp"

namespace evd::hands {
namespace {

// The file below the folder that a caption names; nothing when the name leads out of it.
std::optional<std::filesystem::path> inside(const std::filesystem::path& folder,
                                            const std::string& name) {
  const auto path = std::filesystem::path(name).lexically_normal();
  if (name.empty() || path.is_absolute() || *path.begin() == "..") return std::nullopt;
  return folder / path;
}

// Why a picture cannot be taken; empty = it can.
std::string look_at(Picture& picture) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(picture.file, ignored)) return "whose image is missing";
  try {
    const auto bytes = fs::read_bytes(picture.file, 64ULL << 20);
    picture.info = image::probe(bytes);
    static_cast<void>(image::decode(bytes));
    return "";
  } catch (const DataError&) {
    return "whose image is damaged or no PNG, JPEG or WebP";
  } catch (const IoError&) {
    return "whose image cannot be read";
  }
}

}  // namespace

Captions read_captions(const CaptionFiles& files, const run::SetOptions& set) {
  data::CsvReader csv(files.captions);
  const auto file_column = csv.column(files.file_column);
  if (!file_column)
    throw ConfigurationError(files.captions.string() + ": has no column " + files.file_column +
                             " with the images' names; its columns: " + join(csv.header(), ", ") +
                             " (name another by --file-column)");
  const std::string wanted =
      files.caption_column.empty() && csv.column("caption") ? "caption" : files.caption_column;
  const auto caption_column = data::text_column(csv, wanted, files.captions);
  const auto categories = csv.column("categories");
  Captions captions{.pictures = {}, .intake = Intake(set), .lost = {}};
  while (auto record = csv.next()) {
    const auto cell = [&](std::size_t i) {
      return i < record->cells.size() ? record->cells[i] : std::string();
    };
    data::RawPrompt raw{
        .line = record->line, .text = cell(caption_column), .categories = {}, .fault = {}};
    if (record->malformed || record->cut) raw.fault = record->cut ? "over-long" : "not CSV";
    if (categories && !trim(cell(*categories)).empty()) {
      raw.categories = data::parse_categories(cell(*categories));
      raw.unknown_category = !raw.categories;
    }
    Picture picture;
    const auto path = inside(files.images, cell(*file_column));
    std::string why = raw.fault.empty() && !path ? "whose image is not inside the folder" : "";
    if (raw.fault.empty() && path) {
      picture.file = *path;
      why = look_at(picture);
    }
    if (!why.empty()) {
      captions.lost[why].add(record->line);
      continue;
    }
    if (auto prompt = captions.intake.take(std::move(raw))) {
      picture.prompt = std::move(*prompt);
      captions.pictures.push_back(std::move(picture));
    }
  }
  return captions;
}

std::string Captions::summary(const std::filesystem::path& file) const {
  std::string text = intake.summary("captions of " + file.string() + " with an image");
  for (const auto& [why, remark] : lost)
    text += "  " + std::to_string(remark.count) + (remark.count == 1 ? " line " : " lines ") + why +
            " " + remark.where() + "\n";
  return text;
}

}  // namespace evd::hands
