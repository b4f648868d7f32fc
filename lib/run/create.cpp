#include "run/create.hpp"

#include <algorithm>
#include <random>

#include <nlohmann/json.hpp>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "data/aspect.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "run/campaign.hpp"
#include "run/stage_report.hpp"
#include "shard/manifest.hpp"

namespace evd::run {
namespace {

// What a campaign needs beside a network whose keys fit each other: evd-weights and --synthetic
// know networks without their encoders.
void require_encoders(const Config& config) {
  if (config.has_t5() && config.text.folder.empty()) {
    throw ConfigurationError(
        "network.text_encoder = \"t5\" needs text.folder (a T5 v1.1 with its tokenizer)");
  }
  if (!config.network.multi_aspect) return;
  if (!config.has_vae()) {
    throw ConfigurationError(
        "network.multi_aspect needs vae.folder: such a network is trained on latents");
  }
  static_cast<void>(data::aspect_table(config.side_px()));
}

CampaignId draw_id() {
  std::random_device device;
  std::array<std::uint8_t, CampaignId::kBytes> bytes{};
  for (auto& byte : bytes) byte = static_cast<std::uint8_t>(device());
  return CampaignId(bytes);
}

// The id of an init that did not finish, so that its repetition is the same campaign.
constexpr const char* kStarted = "started.json";

CampaignId id_for(const std::filesystem::path& prompts) {
  const auto file = prompts / kStarted;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored)) return draw_id();
  const auto json = nlohmann::json::parse(fs::read_text(file, 4096), nullptr, false);
  try {
    return CampaignId::parse(json.at("campaign").get<std::string>());
  } catch (const std::exception&) {
    return draw_id();  // nothing belongs to it yet
  }
}

bool holds_leases_at_most(const std::filesystem::path& root) {
  std::error_code trouble;
  for (const auto& entry : std::filesystem::directory_iterator(root, trouble))
    if (entry.path().filename() != "leases") return false;
  return !trouble;
}

}  // namespace

// An unfinished init leaves campaign.toml; a directory with other things in it was meant otherwise.
void NewCampaign::require_free(const std::filesystem::path& root) {
  std::error_code ignored;
  const std::string name = root.string();
  if (std::any_of(name.begin(), name.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
    throw ConfigurationError(
        "the name of the campaign's directory holds a line end or another control character; take "
        "another name");
  if (std::filesystem::exists(root / "prompts" / "MANIFEST.json", ignored))
    throw ConfigurationError(root.string() +
                             " holds a campaign already; take another directory, or go on with it: "
                             "evd run " +
                             shell_word(root.string()));
  if (!std::filesystem::exists(root, ignored)) return;
  if (!std::filesystem::is_directory(root, ignored))
    throw ConfigurationError(root.string() + " is no directory");
  static_cast<void>(fs::remove_leftovers(root));
  if (holds_leases_at_most(root)) return;
  if (std::filesystem::exists(root / "campaign.toml", ignored)) {
    if (const auto lost = lost_manifest(root)) throw ConfigurationError(*lost);
    return;
  }
  throw ConfigurationError(root.string() +
                           " is not empty and holds no campaign; take an empty or new directory");
}

NewCampaign::NewCampaign(std::filesystem::path root, Config config)
    : root_(std::move(root)), config_(std::move(config)) {
  require_encoders(config_);
  require_free(root_);
  id_ = id_for(prompts());
  std::error_code ignored;
  std::filesystem::remove_all(root_ / "prompts", ignored);  // of an init that did not finish
  // The root is as open as the user's umask says; what is in it is as open as the root.
  std::filesystem::create_directories(root_, ignored);
  // First of all: only this tells a repetition that the directory is one of ours.
  fs::publish(root_ / "campaign.toml", to_toml(config_));
  for (const char* part : {"prompts", "rounds", "logs", "leases", "calls"})
    fs::make_directory(root_ / part);
  fs::publish(prompts() / kStarted, nlohmann::json{{"campaign", id_.hex()}}.dump() + "\n");
}

shard::FileHeader NewCampaign::header() const {
  return {.campaign = id_.hex(),
          .round = 0,
          .stage = std::string(name(Stage::init)),
          .created = iso8601(utc_ms())};
}

void NewCampaign::finish(const std::vector<shard::FileEntry>& files,
                         const std::map<std::string, std::int64_t>& tallies, double wall_s) const {
  shard::Manifest m;
  m.campaign = id_.hex();
  m.stage = name(Stage::init);
  m.software = software();
  m.created_ms = utc_ms();
  m.files = files;
  std::sort(m.files.begin(), m.files.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  m.content = shard::content_of(m.files);
  m.science = science_digest(config_);
  m.config_toml = to_toml(config_);
  m.tallies = tallies;
  m.seconds["wall"] = wall_s;
  shard::publish_manifest(prompts(), m);
}

}  // namespace evd::run
