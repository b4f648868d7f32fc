#include "export_targets.hpp"

#include <iostream>
#include <optional>
#include <sstream>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "shard/catalog.hpp"
#include "shard/export.hpp"
#include "tar_writer.hpp"

namespace evd::hands {
namespace {

std::string extension_of(const std::string& mime) {
  if (mime == "image/jpeg") return ".jpg";
  if (mime == "image/webp") return ".webp";
  return ".png";
}

std::string csv_cell(std::string_view text) {
  std::string cell = "\"";
  for (const char c : text) cell += c == '"' ? "\"\"" : std::string(1, c);
  return cell + "\"";
}

std::string json_row(const shard::Sample& sample) {
  std::ostringstream line;
  shard::write_jsonl<shard::Sample>(line, {&sample, 1});
  return line.str();
}

// Fills archives one after another and publishes each whole.
class Archives {
 public:
  Archives(std::filesystem::path path, std::size_t most_bytes)
      : path_(std::move(path)), most_bytes_(most_bytes) {}

  void add(const Target& target) {
    const std::string id = target.sample.id.hex();
    const std::string row = json_row(target.sample);
    if (tar_.bytes() > 0 &&
        tar_.bytes() + target.bytes.size() + target.sample.prompt.size() + row.size() > most_bytes_)
      publish_numbered();
    tar_.add(id + target.extension, target.bytes);
    tar_.add(id + ".txt", as_bytes(target.sample.prompt));
    tar_.add(id + ".json", as_bytes(row));
  }
  // The last one; without a number when there is no other.
  void finish() {
    if (published_ > 0) return publish_numbered();
    publish(path_);
  }

 private:
  void publish_numbered() {
    const std::string stem = path_.stem().string();
    publish(path_.parent_path() /
            (stem + format("-%06d", published_) + path_.extension().string()));
  }
  void publish(const std::filesystem::path& path) {
    fs::publish(path, std::string_view(tar_.finish()));
    ++published_;
    std::cerr << "evd: wrote " << path.string() << "\n";
  }

  std::filesystem::path path_;
  std::size_t most_bytes_;
  TarWriter tar_;
  int published_ = 0;
};

}  // namespace

void for_each_target(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                     Problems& problems, const std::function<void(const Target&)>& take) {
  const shard::Catalog catalog(campaign.root());
  for (const auto& sample : samples) {
    if (sample.target_shard.is_none() || sample.target_row < 0) continue;
    const shard::Image* image = nullptr;
    shard::Blob bytes;
    try {
      const auto& rows = catalog.images(sample.target_shard);
      if (sample.target_row >= static_cast<std::int32_t>(rows.size()))
        throw DataError("sample " + sample.id.hex() + " points behind the end of its image file");
      image = &rows[static_cast<std::size_t>(sample.target_row)];
      bytes = catalog.bytes({sample.target_shard, sample.target_row});
    } catch (const DataError& error) {
      problems.note(error.what());
      continue;
    }
    take({sample, *image, std::move(bytes), extension_of(image->mime.text)});
  }
}

std::size_t export_images(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                          const std::filesystem::path& folder, Problems& problems) {
  fs::make_directory(folder);
  std::string index = "file,id,image,teacher,prompt\n";
  std::size_t written = 0;
  for_each_target(campaign, samples, problems, [&](const Target& target) {
    const std::string name = target.sample.id.hex() + target.extension;
    fs::publish(folder / name, target.bytes);
    index += name + "," + target.sample.id.hex() + "," + target.image.id.hex() + "," +
             csv_cell(target.image.teacher.text) + "," + csv_cell(target.sample.prompt) + "\n";
    ++written;
  });
  fs::publish(folder / "index.csv", std::string_view(index));
  std::cerr << "evd: wrote " << written << " images and index.csv to " << folder.string() << "\n";
  return written;
}

std::size_t export_webdataset(const run::Campaign& campaign, std::span<const shard::Sample> samples,
                              const std::filesystem::path& path, std::size_t most_bytes,
                              Problems& problems) {
  Archives archives(path, most_bytes);
  std::size_t written = 0;
  for_each_target(campaign, samples, problems, [&](const Target& target) {
    archives.add(target);
    ++written;
  });
  archives.finish();
  return written;
}

}  // namespace evd::hands
