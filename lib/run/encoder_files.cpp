#include "run/encoder_files.hpp"

#include <algorithm>
#include <array>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"

namespace evd::run {
namespace {

namespace stdfs = std::filesystem;

bool belongs(const stdfs::path& file) {
  constexpr std::array<std::string_view, 6> kEndings = {".safetensors", ".json", ".bin",
                                                        ".pth",         ".pt",   ".model"};
  return std::find(kEndings.begin(), kEndings.end(), file.extension()) != kEndings.end();
}

std::vector<stdfs::path> files_of(const stdfs::path& folder) {
  if (!stdfs::is_directory(folder)) return {folder, folder.parent_path() / "config.json"};
  std::vector<stdfs::path> files;
  std::error_code error;
  for (stdfs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error))
    if (at->is_regular_file(error) && belongs(at->path())) files.push_back(at->path());
  if (error) throw IoError("list " + folder.string() + ": " + error.message());
  if (files.empty()) throw DataError(folder.string() + ": no weights in it");
  std::sort(files.begin(), files.end());
  return files;
}

stdfs::path tokenizer_of(const TextOptions& text, const stdfs::path& folder) {
  if (!text.tokenizer.empty()) return text.tokenizer;
  return (stdfs::is_directory(folder) ? folder : folder.parent_path()) / "spiece.model";
}

void take_digest(std::string& recorded, const Sha256& digest, const std::string& key,
                 const std::string& folder) {
  if (!recorded.empty() && recorded != digest.hex())
    throw DataError(folder + ": its digest is " + digest.hex() + ", not " + key + " = " + recorded);
  recorded = digest.hex();
}

void require_digest(const Campaign& campaign, const std::string& recorded, const Sha256& digest,
                    const std::string& table, const stdfs::path& folder) {
  if (digest.hex() == recorded) return;
  throw DataError(folder.string() + ": not the encoder of this campaign (" + table + ".sha256 is " +
                  recorded + ", its digest is " + digest.hex() +
                  "); put the files back, or name a good copy: evd set " +
                  shell_word(campaign.root().string()) + " " + table + ".folder=PATH");
}

}  // namespace

Sha256 encoder_digest(const stdfs::path& folder, const stdfs::path& tokenizer) {
  Sha256Stream stream;
  stream.field("encoder 1");
  for (const auto& file : files_of(folder))
    stream.field(file.filename().string()).field(fs::sha256_file(file).hex());
  if (!tokenizer.empty()) stream.field(fs::sha256_file(tokenizer).hex());
  return stream.finish();
}

void fix_encoders(Config& config) {
  auto& text = config.text;
  if (config.has_t5()) {
    text.folder = stdfs::absolute(text.folder).string();
    if (!text.tokenizer.empty()) text.tokenizer = stdfs::absolute(text.tokenizer).string();
    take_digest(text.sha256, encoder_digest(text.folder, tokenizer_of(text, text.folder)),
                "text.sha256", text.folder);
  }
  auto& vae = config.vae;
  if (vae.folder.empty()) return;
  vae.folder = stdfs::absolute(vae.folder).string();
  take_digest(vae.sha256, encoder_digest(vae.folder), "vae.sha256", vae.folder);
}

TextPaths text_paths(const Campaign& campaign, const Config& config) {
  const auto folder = campaign.root() / config.text.folder;  // an absolute path stays absolute
  return {folder, campaign.root() / tokenizer_of(config.text, folder)};
}

stdfs::path vae_path(const Campaign& campaign, const Config& config) {
  return campaign.root() / config.vae.folder;
}

void check_text_files(const Campaign& campaign, const Config& config) {
  const auto [folder, tokenizer] = text_paths(campaign, config);
  require_digest(campaign, config.text.sha256, encoder_digest(folder, tokenizer), "text", folder);
}

void check_vae_files(const Campaign& campaign, const Config& config) {
  const auto folder = vae_path(campaign, config);
  require_digest(campaign, config.vae.sha256, encoder_digest(folder), "vae", folder);
}

}  // namespace evd::run
