#include "published.hpp"

#include <algorithm>

#include "core/error.hpp"

namespace evd::hands {
namespace {

// judge.retired-001, judge.retired-002, ... beside `directory`.
std::vector<std::filesystem::path> retired_beside(const std::filesystem::path& directory) {
  std::vector<std::filesystem::path> found;
  const std::string prefix = directory.filename().string() + ".retired-";
  std::error_code none;
  for (const auto& entry : std::filesystem::directory_iterator(directory.parent_path(), none))
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  std::sort(found.begin(), found.end());
  return found;
}

std::vector<run::StageRef> all_stages(int rounds) {
  using enum run::Stage;
  std::vector<run::StageRef> refs = {{init, 0}};
  for (const auto stage : {evaluate, score}) refs.push_back({stage, run::kStartRound});
  for (int round = 0; round < rounds; ++round)
    for (const auto stage : {harvest, judge, train, evaluate, score})
      refs.push_back({stage, round});
  return refs;
}

class Finder {
 public:
  Finder(const run::Campaign& campaign, Problems& problems)
      : campaign_(campaign), problems_(problems) {}

  void take(const run::StageRef& ref, const std::filesystem::path& directory, bool is_retired) try {
    auto manifest = shard::read_manifest(directory);
    if (!manifest) return;
    if (manifest->campaign != campaign_.id().hex())
      throw DataError((directory / "MANIFEST.json").string() +
                      ": of another campaign (copied here?) remove the directory");
    found.push_back({ref, directory, directory.lexically_relative(campaign_.root()).string(),
                     std::move(*manifest), is_retired});
  } catch (const Error& error) {
    problems_.note(error.what());
  }

  std::vector<Published> found;

 private:
  const run::Campaign& campaign_;
  Problems& problems_;
};

}  // namespace

std::vector<Published> published_results(const run::Campaign& campaign, Retired retired,
                                         Problems& problems) {
  Finder finder(campaign, problems);
  for (const auto& ref : all_stages(campaign.rounds_begun())) {
    const auto directory = campaign.directory(ref);
    finder.take(ref, directory, false);
    if (retired == Retired::included)
      for (const auto& old : retired_beside(directory)) finder.take(ref, old, true);
  }
  return std::move(finder.found);
}

}  // namespace evd::hands
