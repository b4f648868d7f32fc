#include "train/features.hpp"

#include <algorithm>
#include <mutex>

#include <nlohmann/json.hpp>

#include "core/error.hpp"
#include "core/text.hpp"
#include "data/stream.hpp"
#include "data/targets.hpp"
#include "fs/file.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "run/encoder_files.hpp"
#include "train/extraction.hpp"
#include "train/wanted_features.hpp"

namespace evd::train {
namespace {

namespace stdfs = std::filesystem;
using data::FeaturePlace;
using shard::FeatureKind;
using Json = nlohmann::json;

/// A file that features may lie in, as rank 0 sees it.
struct KnownFile {
  stdfs::path path;
  Sha256 sha256;  // none for those of the stage's directory: asked for when they are kept
  std::int32_t round = 0;
  bool is_own = false;
};

/// A card takes one picture after another: a second thread reads and writes meanwhile.
int threads_of(const run::Config& config, const nn::Engine& engine, const mpi::Communicator& node) {
  const int cores = run::cores_per_rank(node);
  if (config.features.threads > 0) return config.features.threads;
  return engine.on_card() ? std::min(cores, 2) : cores;
}

class Preparation {
 public:
  Preparation(run::Context& context, const mpi::Communicator& node,
              std::span<const data::Member> members, std::span<const std::string> prompts,
              const shard::Catalog& catalog, const Activity& activity)
      : context_(context),
        config_(context.config),
        members_(members),
        catalog_(catalog),
        activity_(activity),
        wanted_(context, members, prompts, catalog),
        targets_(catalog, members, config_.side_px()),
        engine_(nn::choose_engine(config_.compute, node.rank())),
        threads_(threads_of(config_, engine_, node)) {}

  Features run() {
    if (config_.has_t5() || config_.has_vae()) {
      activity_.enter(Operation::extraction, 0);
      places_.resize(wanted_.size());
      if (is_root()) look_up();
      share_places();
      drop_damaged();
      extract_missing();
      hand_over();
    }
    features_.buckets = wanted_.buckets();
    return std::move(features_);
  }

 private:
  [[nodiscard]] bool is_root() const { return context_.world.rank() == 0; }

  // ---- what is there already (rank 0)

  void look_up() {
    std::error_code none;
    std::vector<stdfs::path> own;
    for (const auto& entry : stdfs::directory_iterator(context_.directory, none)) {
      const std::string name = entry.path().filename().string();
      if ((name.starts_with("texts-") || name.starts_with("latents-")) && name.ends_with(".h5"))
        own.push_back(entry.path());
    }
    std::sort(own.begin(), own.end());
    for (const auto& path : own) {
      const std::string stem = path.stem().string();
      const int number = std::atoi(stem.substr(stem.rfind('-') + 1).c_str());
      next_number_ = std::max(next_number_, number + 1);
      take({path, {}, context_.self.round, true});
    }
    for (const auto& file : catalog_.files(shard::table_name<shard::Feature>()))
      if (file.path.parent_path() != context_.directory)
        take({file.path, file.sha256, file.round, false});
  }

  /// The keys of a file that are still looked for. A damaged one is passed over, and removed where
  /// it is this stage's own.
  void take(KnownFile file) {
    static constexpr std::array<std::string_view, 1> kColumns = {"key"};
    std::vector<shard::Feature> rows;
    try {
      rows = shard::Table<shard::Feature>(file.path).read(kColumns);
      const data::FeatureFiles checks(std::span(&file.path, 1));
    } catch (const Error& error) {
      std::error_code trouble;
      if (dynamic_cast<const DataError*>(&error) == nullptr && stdfs::exists(file.path, trouble))
        throw;
      return set_aside(file, error.what());
    }
    bool is_used = false;
    for (std::size_t row = 0; row < rows.size(); ++row) {
      const auto found = wanted_.find(rows[row].key);
      if (!found || places_[*found].is_known()) continue;
      places_[*found] = {static_cast<std::int32_t>(known_.size()), static_cast<std::int32_t>(row)};
      is_used = true;
    }
    if (is_used) known_.push_back(std::move(file));
    // Nobody else will ever list it.
    else if (file.is_own)
      remove(file);
  }
  void set_aside(const KnownFile& file, const std::string& why) {
    ++features_.tallies["feature_files_damaged"];
    context_.log.warning(why + "; its features are extracted again");
    if (file.is_own) remove(file);
  }
  static void remove(const KnownFile& file) {
    std::error_code none;
    stdfs::remove(file.path, none);
  }

  void share_places() {
    Json names = Json::array();
    for (const auto& file : known_) names.push_back(file.path.string());
    const auto shared = Json::parse(context_.world.broadcast(names.dump(), 0));
    if (!is_root()) {
      known_.clear();
      for (const auto& name : shared) known_.push_back({name.get<std::string>()});
    }
    places_ = mpi::broadcast(places_, context_.world);
  }

  // ---- what of it is damaged

  /// Reads every feature that was found, each by one rank; those that are damaged become unknown.
  void drop_damaged() {
    std::vector<std::int32_t> found;
    for (std::size_t i = 0; i < places_.size(); ++i)
      if (places_[i].is_known()) found.push_back(static_cast<std::int32_t>(i));
    std::vector<stdfs::path> paths;
    for (const auto& file : known_) paths.push_back(file.path);
    const data::FeatureFiles files(paths);
    const auto share = data::share_of(found.size(), context_.world.rank(), context_.world.size());
    std::mutex mutex;
    std::vector<std::int32_t> bad;
    nn::each_alone(share.size(), threads_, [&](std::size_t i) {
      const auto index = static_cast<std::size_t>(found[share.begin + i]);
      try {
        read(files, wanted_[index].kind, places_[index]);
      } catch (const DataError& error) {
        const std::lock_guard lock(mutex);
        bad.push_back(static_cast<std::int32_t>(index));
        context_.log.warning(std::string(error.what()) + "; it is extracted again");
      }
    });
    forget(bad);
  }

  void read(const data::FeatureFiles& files, FeatureKind kind, const FeaturePlace& place) const {
    if (kind == FeatureKind::text)
      static_cast<void>(files.text(place, config_.network.caption_width));
    else
      static_cast<void>(files.latents(place, config_.network.channels));
  }

  void forget(std::span<const std::int32_t> own) {
    std::vector<std::int32_t> all;
    for (const auto& bytes : context_.world.gather(std::as_bytes(own), 0)) {
      const auto count = bytes.size() / sizeof(std::int32_t);
      const auto before = all.size();
      all.resize(before + count);
      std::copy(bytes.begin(), bytes.end(),
                std::as_writable_bytes(std::span(all)).begin() +
                    static_cast<std::ptrdiff_t>(before * sizeof(int)));
    }
    if (is_root()) {
      features_.tallies["features_damaged"] = static_cast<std::int64_t>(all.size());
      // A file of a killed life that is not whole goes as a whole: this result must list it.
      for (const auto index : all) {
        const auto file = places_[static_cast<std::size_t>(index)].file;
        places_[static_cast<std::size_t>(index)] = {};
        if (file < 0 || !known_[static_cast<std::size_t>(file)].is_own) continue;
        remove(known_[static_cast<std::size_t>(file)]);
        for (auto& place : places_)
          if (place.file == file) place = {};
      }
    }
    places_ = mpi::broadcast(places_, context_.world);
  }

  // ---- what is missing

  [[nodiscard]] std::vector<Task> missing() const {
    std::vector<Task> tasks;
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (!places_[i].is_known() && wanted_.is_first(i)) tasks.push_back(wanted_.task(i));
    }
    return tasks;
  }

  void extract_missing() {
    const auto tasks = missing();
    const auto texts = std::count_if(tasks.begin(), tasks.end(), [](const Task& task) {
      return task.kind == FeatureKind::text;
    });
    const auto latents = static_cast<std::int64_t>(tasks.size()) - texts;
    auto& tallies = features_.tallies;
    tallies["texts_extracted"] = texts;
    tallies["latents_extracted"] = latents;
    tallies["features_reused"] =
        static_cast<std::int64_t>(wanted_.different()) - static_cast<std::int64_t>(tasks.size());
    if (is_root())
      context_.log.info(format(
          "features: %lld are there, %lld texts and %lld latents to extract (%lld damaged)",
          static_cast<long long>(tallies["features_reused"]), static_cast<long long>(texts),
          static_cast<long long>(latents), static_cast<long long>(tallies["features_damaged"])));
    if (tasks.empty()) return;
    if (is_root() && texts > 0) run::check_text_files(context_.campaign, config_);
    if (is_root() && latents > 0) run::check_vae_files(context_.campaign, config_);
    const int first_number = mpi::broadcast(std::vector<int>{next_number_}, context_.world).front();
    context_.progress.begin("features", static_cast<std::int64_t>(tasks.size()));
    const int rank = context_.world.rank();
    const int world_size = context_.world.size();
    std::vector<Task> mine;
    for (auto i = static_cast<std::size_t>(rank); i < tasks.size();
         i += static_cast<std::size_t>(world_size))
      mine.push_back(tasks[i]);
    collect(extract(context_, mine, targets_, threads_, first_number + rank, world_size, activity_,
                    engine_));
    // Every rank comes here, so all leave when one has left work undone.
    bool is_whole = true;
    for (std::size_t i = 0; i < wanted_.size(); ++i)
      is_whole = is_whole && places_[wanted_.first_like(i)].is_known();
    if (!is_whole)
      throw Stopped(
          "train stopped while features were extracted (what is done is kept); start it "
          "again");
  }

  /// What all ranks have written.
  void collect(const std::vector<ExtractedFile>& own) {
    Json mine = Json::array();
    for (const auto& file : own) {
      const auto& entry = file.entry;
      mine.push_back({{"name", entry.name},
                      {"rows", entry.rows},
                      {"bytes", entry.bytes},
                      {"sha256", entry.sha256.hex()},
                      {"content", entry.content.hex()},
                      {"numbers", file.numbers}});
    }
    const std::string text = mine.dump();
    for (const auto& bytes : context_.world.gather(as_bytes(text), 0)) {
      const auto* begin = reinterpret_cast<const char*>(bytes.data());
      for (const auto& file : Json::parse(begin, begin + bytes.size())) add(file);
    }
    share_places();
  }

  void add(const Json& json) {
    const auto file = static_cast<std::int32_t>(known_.size());
    shard::FileEntry entry{json.at("name").get<std::string>(),
                           std::string(shard::table_name<shard::Feature>()),
                           json.at("rows").get<std::int64_t>(),
                           json.at("bytes").get<std::int64_t>(),
                           Sha256::parse(json.at("sha256").get<std::string>()),
                           Sha256::parse(json.at("content").get<std::string>())};
    known_.push_back({context_.directory / entry.name, entry.sha256, context_.self.round, true});
    features_.own_files.push_back(std::move(entry));
    std::int32_t row = 0;
    for (const auto& number : json.at("numbers"))
      places_[number.get<std::size_t>()] = {file, row++};
  }

  // ---- what training is given, and what the result tells

  void hand_over() {
    for (std::size_t i = 0; i < wanted_.size(); ++i) places_[i] = places_[wanted_.first_like(i)];
    keep_used_files();
    for (const auto& file : known_) features_.files.push_back(file.path);
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      if (wanted_[i].whose == Whose::nobody)
        features_.null_text = places_[i];
      else if (wanted_[i].whose == Whose::prompt)
        features_.prompts.push_back(places_[i]);
      else if (wanted_[i].kind == FeatureKind::text)
        features_.places.texts.push_back(places_[i]);
      else
        features_.places.latents.push_back(places_[i]);
    }
    if (is_root()) tell();
  }

  /// Those from which all was damaged, or that were removed, go.
  void keep_used_files() {
    std::vector<std::int32_t> renumbered(known_.size(), -1);
    for (const auto& place : places_) renumbered[static_cast<std::size_t>(place.file)] = 0;
    std::vector<KnownFile> used;
    for (std::size_t i = 0; i < known_.size(); ++i) {
      if (renumbered[i] < 0) continue;
      renumbered[i] = static_cast<std::int32_t>(used.size());
      used.push_back(std::move(known_[i]));
    }
    known_ = std::move(used);
    for (auto& place : places_) place.file = renumbered[static_cast<std::size_t>(place.file)];
  }

  void tell() {
    for (auto& file : known_) {
      if (!file.is_own) {
        features_.input_files.push_back(
            {file.path.lexically_relative(context_.campaign.root()).string(), file.sha256});
      } else if (file.sha256.is_none()) {
        features_.own_files.push_back(entry_of(file.path));
        file.sha256 = features_.own_files.back().sha256;
      }
    }
    for (std::size_t i = 0; i < wanted_.size(); ++i) {
      const auto& wanted = wanted_[i];
      if (wanted.whose == Whose::prompt) continue;  // for looking at: no part of what training gave
      const auto& file = known_[static_cast<std::size_t>(places_[i].file)];
      const SampleId sample =
          wanted.whose == Whose::member ? members_[wanted.index].id : SampleId{};
      features_.uses.push_back(
          {wanted.key, wanted.kind, sample, file.round, file.sha256, places_[i].row});
    }
  }

  static shard::FileEntry entry_of(const stdfs::path& path) {
    const auto rows = shard::read_table<shard::Feature>(path);
    return {path.filename().string(),
            std::string(shard::table_name<shard::Feature>()),
            static_cast<std::int64_t>(rows.size()),
            static_cast<std::int64_t>(stdfs::file_size(path)),
            fs::sha256_file(path),
            shard::content_digest<shard::Feature>(rows)};
  }

  run::Context& context_;
  const run::Config& config_;
  std::span<const data::Member> members_;
  const shard::Catalog& catalog_;
  const Activity& activity_;
  WantedFeatures wanted_;
  data::Targets targets_;
  nn::Engine engine_;
  int threads_;
  Features features_;
  std::vector<FeaturePlace> places_;  // of the first of each key, then of all
  std::vector<KnownFile> known_;
  int next_number_ = 0;
};

}  // namespace

Features prepare_features(run::Context& context, const mpi::Communicator& node,
                          std::span<const data::Member> members,
                          std::span<const std::string> prompts, const shard::Catalog& catalog,
                          const Activity& activity) {
  return Preparation(context, node, members, prompts, catalog, activity).run();
}

}  // namespace evd::train
