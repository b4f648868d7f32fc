#include "evaluate/stage.hpp"

#include <algorithm>
#include <array>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluate/part.hpp"
#include "evaluate/plan.hpp"
#include "evaluate/weights.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "run/file_entries.hpp"

namespace evd::evaluate {
namespace {

/// The judge whose set train(round) read, as its manifest says.
run::StageRef trained_set(const run::Campaign& campaign, int round) {
  const run::StageRef train{run::Stage::train, round};
  const auto manifest = campaign.manifest(train);
  if (manifest)
    for (const auto& input : manifest->inputs)
      if (input.stage == name(run::Stage::judge)) return {run::Stage::judge, input.round};
  throw DataError(campaign.directory(train).string() +
                  ": its manifest names no set that was trained on (run evd-train again)");
}

std::vector<Picture> pictures_of(const run::Context& context) {
  const run::Campaign& campaign = context.campaign;
  const auto heldout = shard::read_table<shard::Sample>(campaign.set_file({run::Stage::init, 0}));
  std::vector<shard::Sample> set;
  const int round = context.self.round;
  if (round != run::kStartRound)
    set = shard::read_table<shard::Sample>(campaign.set_file(trained_set(campaign, round)));
  const run::Config& config = context.config;
  auto pictures = plan(set, heldout, config.evaluate.share, config.campaign.seed, round);
  if (config.text.prompts.size_suffixes) pictures = sized_by_prompts(std::move(pictures));
  return sized(std::move(pictures), size_table(config.network, config.side_px()));
}

/// Parts that are there already (by index), found by rank 0 and told to all.
std::vector<bool> finished_parts(run::Context& context, const Settings& settings,
                                 std::span<const Picture> pictures,
                                 std::vector<shard::FileEntry>& entries) {
  std::string marks(part_count(pictures.size()), '0');
  if (context.world.rank() == 0)
    for (std::size_t i = 0; i < marks.size(); ++i)
      if (auto entry =
              finished_part(context.directory / part_name(i), settings, part(pictures, i))) {
        marks[i] = '1';
        entries.push_back(std::move(*entry));
      }
  marks = context.world.broadcast(marks, 0);
  std::vector<bool> finished;
  for (const char mark : marks) finished.push_back(mark == '1');
  return finished;
}

struct Rendered {
  std::vector<shard::FileEntry> entries;
  std::int64_t reused = 0;  ///< pictures taken over from retired results
  bool stopped = false;     ///< a signal came before the last part
};

/// Renders this rank's share of the missing parts.
Rendered render_parts(run::Context& context, const Settings& settings,
                      std::span<const Picture> pictures, const std::vector<bool>& finished) {
  std::vector<std::size_t> missing;
  for (std::size_t i = 0; i < finished.size(); ++i)
    if (!finished[i]) missing.push_back(i);
  Rendered rendered;
  auto retired = missing.empty() || context.rerun == run::Rerun::fresh
                     ? RetiredRenders()
                     : RetiredRenders(context.directory);
  const auto world_size = static_cast<std::size_t>(context.world.size());
  auto done = static_cast<std::int64_t>((finished.size() - missing.size()) * kPartPictures);
  for (auto i = static_cast<std::size_t>(context.world.rank()); i < missing.size();
       i += world_size) {
    rendered.stopped = context.stop;
    if (rendered.stopped) break;
    const auto wanted = part(pictures, missing[i]);
    const auto [rows, reused] = part_rows(settings, wanted, retired);
    rendered.reused += reused;
    rendered.entries.push_back(shard::write_table<shard::Image>(
        context.directory / part_name(missing[i]), context.header(), rows));
    // The other ranks are as far: parts are alike.
    done += static_cast<std::int64_t>(wanted.size() * world_size);
    context.progress.update(std::min(done, static_cast<std::int64_t>(pictures.size())));
  }
  return rendered;
}

/// Every rank comes here, so all leave when one has left parts undone; a rank with a smaller share
/// would wait for the others' files for ever.
void leave_if_any_stopped(const run::Context& context, bool stopped) {
  if (context.world.all_reduce(std::int64_t{stopped ? 1 : 0}, mpi::Reduce::max) > 0)
    throw Stopped("evaluate stopped between two parts (finished parts are kept); start it again");
}

// Parts of an earlier plan that no entry lists; renders cost nothing but time.
void remove_unlisted(const std::filesystem::path& directory, std::size_t parts) {
  for (std::size_t i = parts; std::filesystem::remove(directory / part_name(i)); ++i) {
  }
}

std::int64_t count_if(std::span<const Picture> pictures, bool Picture::*category) {
  return std::count_if(pictures.begin(), pictures.end(),
                       [&](const Picture& picture) { return picture.*category; });
}

/// How many pictures of each split and category there are to measure on. Figures over the pictures
/// themselves (FID) belong into the same table.
std::vector<shard::Metric> metrics_of(std::span<const Picture> pictures, int round) {
  std::vector<shard::Metric> rows;
  const auto first_heldout =
      std::find_if(pictures.begin(), pictures.end(),
                   [](const Picture& picture) { return picture.split == shard::Split::heldout; });
  const auto members = static_cast<std::size_t>(first_heldout - pictures.begin());
  const auto add = [&](const char* metric, std::span<const Picture> of) {
    const std::array<std::pair<const char*, std::int64_t>, 4> counts = {
        {{"all", static_cast<std::int64_t>(of.size())},
         {"human", count_if(of, &Picture::human)},
         {"text", count_if(of, &Picture::text)},
         {"multi", count_if(of, &Picture::multi)}}};
    for (const auto& [category, count] : counts) {
      const auto value = static_cast<double>(count);
      rows.push_back({round, {"evaluate"}, {metric}, {category}, {""}, value, value, value, count});
    }
  };
  add("renders_members", pictures.first(members));
  add("renders_heldout", pictures.subspan(members));
  return rows;
}

run::Result result_of(run::Context& context, std::span<const Picture> pictures,
                      std::vector<shard::FileEntry> entries) {
  run::Result result;
  const auto metrics = metrics_of(pictures, context.self.round);
  entries.push_back(shard::write_table<shard::Metric>(context.directory / "metrics.h5",
                                                      context.header(), metrics));
  remove_unlisted(context.directory, part_count(pictures.size()));
  std::sort(entries.begin(), entries.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  result.files = std::move(entries);
  result.counts.done = static_cast<std::int64_t>(pictures.size());
  for (const auto& metric : metrics)
    if (metric.category.text == "all") result.tallies[metric.metric.text] = metric.count;
  result.closing_line = format("%lld pictures: %lld of members, %lld of held-out prompts",
                               static_cast<long long>(result.counts.done),
                               static_cast<long long>(result.tallies["renders_members"]),
                               static_cast<long long>(result.tallies["renders_heldout"]));
  return result;
}

}  // namespace

run::Result run_stage(run::Context& context) {
  const double begun_s = monotonic_s();
  const run::Config& config = context.config;
  const auto node = context.world.node();
  nn::use_threads(run::cores_per_rank(node));
  const nn::Engine engine = nn::choose_engine(config.compute, node.rank());
  const auto pictures = pictures_of(context);
  const nn::Generator generator =
      load_generator(context.campaign, config, context.self.round,
                     context.world.rank() == 0 ? EncoderCheck::digest : EncoderCheck::none, engine);
  const Settings settings{generator, config.evaluate.sampling, config.campaign.seed,
                          context.self.round, config.side_px()};
  context.progress.begin("images", static_cast<std::int64_t>(pictures.size()));

  const double loaded_s = monotonic_s();
  std::vector<shard::FileEntry> kept;
  const auto finished = finished_parts(context, settings, pictures, kept);
  const auto kept_parts = static_cast<std::int64_t>(kept.size());
  auto own = render_parts(context, settings, pictures, finished);
  leave_if_any_stopped(context, own.stopped);
  own.entries.insert(own.entries.end(), kept.begin(), kept.end());

  auto entries = run::gather_files(own.entries, context.world);
  const auto reused = context.world.all_reduce(own.reused, mpi::Reduce::sum);
  if (context.world.rank() != 0) return {};
  const double rendered_s = monotonic_s();
  run::Result result = result_of(context, pictures, std::move(entries));
  result.tallies["kept_parts"] = kept_parts;
  result.tallies["reused"] = reused;
  result.seconds["load"] = loaded_s - begun_s;
  result.seconds["rendering"] = rendered_s - loaded_s;
  result.seconds["publish"] = monotonic_s() - rendered_s;
  return result;
}

}  // namespace evd::evaluate
