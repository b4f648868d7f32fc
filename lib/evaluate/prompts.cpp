#include "evaluate/prompts.hpp"

#include <algorithm>

#include "core/error.hpp"
#include "core/text.hpp"
#include "evaluate/part.hpp"
#include "evaluate/weights.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "image/image.hpp"
#include "image/sheet.hpp"
#include "nn/prompt_form.hpp"
#include "nn/threads.hpp"
#include "run/cores.hpp"
#include "shard/identity.hpp"
#include "shard/table.hpp"

namespace evd::evaluate {
namespace {

constexpr std::size_t kRowsPerShard = 4096;
constexpr int kGapPx = 4;

/// All pictures, prompt by prompt and within it seed by seed.
struct Work {
  std::vector<PromptLine> prompts;
  std::vector<std::uint64_t> seeds;
  bool size_suffixes = false;
  std::span<const data::AspectBucket> sizes;  // of size_table()
  [[nodiscard]] std::size_t size() const { return prompts.size() * seeds.size(); }
  [[nodiscard]] const PromptLine& prompt(std::size_t i) const { return prompts[i / seeds.size()]; }
  [[nodiscard]] std::uint64_t seed(std::size_t i) const { return seeds[i % seeds.size()]; }
  [[nodiscard]] std::string file(std::size_t i) const {
    return format("%05lld-seed-%llu.png", static_cast<long long>(prompt(i).line),
                  static_cast<unsigned long long>(seed(i)));
  }
};

// A seed is the same start noise for every prompt. A prompt that says no size is drawn square.
Picture picture_of(const Work& work, std::size_t i, const Settings& settings) {
  Picture picture;
  picture.prompt = work.prompt(i).text;
  picture.prompt_id = shard::sample_id(picture.prompt, settings.side_px, settings.side_px);
  picture.split = shard::Split::heldout;
  picture.noise_id = work.seed(i);
  if (!work.size_suffixes || nn::sized_prompt(picture.prompt).height == 0) return picture;
  return sized(sized_by_prompts({std::move(picture)}), work.sizes).front();
}

shard::FileHeader header_of(const run::Campaign& campaign, int round) {
  shard::FileHeader header;
  header.campaign = campaign.id().hex();
  header.round = round;
  header.stage = "evaluate";
  return header;
}

/// Renders pictures [begin, end) and writes their PNG files.
void render_range(const Work& work, const Settings& settings, std::size_t begin, std::size_t end,
                  const std::filesystem::path& out) {
  std::vector<Picture> pictures;
  for (std::size_t i = begin; i < end; ++i) pictures.push_back(picture_of(work, i, settings));
  const auto rows = render_rows(settings, pictures);
  for (std::size_t i = begin; i < end; ++i)
    fs::publish(out / work.file(i), Bytes(rows[i - begin].bytes));
}

// Rows as render_rows() makes them, with the bytes that all ranks have written.
void write_shards(const Work& work, const Settings& settings, const shard::FileHeader& header,
                  const std::filesystem::path& out) {
  for (std::size_t begin = 0; begin < work.size(); begin += kRowsPerShard) {
    std::vector<shard::Image> rows;
    for (std::size_t i = begin; i < std::min(work.size(), begin + kRowsPerShard); ++i) {
      rows.push_back(
          stored_row(settings, picture_of(work, i, settings), fs::read_bytes(out / work.file(i))));
      rows.back().sample_index = static_cast<std::int32_t>(i % work.seeds.size());
    }
    const auto name = format("images-%05zu.h5", begin / kRowsPerShard);
    static_cast<void>(shard::write_table<shard::Image>(out / name, header, rows));
  }
}

void write_sheets(const Work& work, int side_px, const std::filesystem::path& out) {
  // A sheet stays below the sides that our own decoder takes.
  const std::size_t most = static_cast<std::size_t>(image::kMaxSide / 2 / (side_px + kGapPx));
  const std::size_t columns = std::min(work.seeds.size(), std::max<std::size_t>(1, most));
  const std::size_t rows_each = (work.seeds.size() + columns - 1) / columns;
  const std::size_t prompts_each = std::max<std::size_t>(1, most / rows_each);
  for (std::size_t first = 0; first < work.prompts.size(); first += prompts_each) {
    std::vector<image::Rgb> cells;
    const std::size_t last = std::min(work.prompts.size(), first + prompts_each);
    for (std::size_t p = first; p < last; ++p) {
      for (std::size_t s = 0; s < work.seeds.size(); ++s)
        cells.push_back(image::resize_cover(
            image::decode(fs::read_bytes(out / work.file(p * work.seeds.size() + s))), side_px,
            side_px));
      cells.resize((p - first + 1) * rows_each * columns);  // the next prompt begins a row
    }
    const auto sheet = image::contact_sheet(cells, static_cast<int>(columns), kGapPx);
    fs::publish(out / format("contact-%03zu.png", first / prompts_each + 1),
                Bytes(image::encode_png(sheet)));
  }
}

void write_index(const Work& work, const std::filesystem::path& out) {
  std::string csv = "file,line,seed,prompt\n";
  for (std::size_t i = 0; i < work.size(); ++i) {
    std::string quoted;
    for (const char c : work.prompt(i).text) quoted += c == '"' ? "\"\"" : std::string(1, c);
    csv += work.file(i) + "," + std::to_string(work.prompt(i).line) + "," +
           std::to_string(work.seed(i)) + ",\"" + quoted + "\"\n";
  }
  fs::publish(out / "index.csv", std::string_view(csv));
}

}  // namespace

void render_prompts(const run::Campaign& campaign, const run::Config& config, const PromptJob& job,
                    mpi::Communicator& world, const Log& log) {
  if (std::filesystem::exists(job.out / "index.csv"))
    throw UsageError(job.out.string() +
                     " holds the pictures of an earlier run (index.csv): give another --out, or "
                     "remove it");
  auto lines =
      read_prompts(job.prompts, job.columns, static_cast<std::size_t>(config.set.max_prompt_chars));
  for (const auto& [why, remark] : lines.remarks)
    if (world.rank() == 0)
      log.warning(job.prompts.string() + ": left out " + std::to_string(remark.count) + " " + why +
                  " " + remark.where());
  const Work work{std::move(lines.taken), job.seeds, config.text.prompts.size_suffixes,
                  size_table(config.network, config.side_px())};
  const auto node = world.node();
  nn::use_threads(run::cores_per_rank(node));
  const nn::Generator generator =
      load_generator(campaign, config, job.checkpoint,
                     world.rank() == 0 ? EncoderCheck::digest : EncoderCheck::none,
                     nn::choose_engine(config.compute, node.rank()));
  const Settings settings{generator, config.evaluate.sampling, config.campaign.seed, job.checkpoint,
                          config.side_px()};
  if (world.rank() == 0) fs::make_directory(job.out);
  world.barrier();

  const auto world_size = static_cast<std::size_t>(world.size());
  for (std::size_t begin = static_cast<std::size_t>(world.rank()) * kPartPictures;
       begin < work.size(); begin += world_size * kPartPictures) {
    const std::size_t end = std::min(work.size(), begin + kPartPictures);
    render_range(work, settings, begin, end, job.out);
    log.info(std::to_string(end) + " of " + std::to_string(work.size()) + " pictures");
  }
  world.barrier();

  if (world.rank() != 0) return;
  write_shards(work, settings, header_of(campaign, job.checkpoint), job.out);
  write_sheets(work, settings.side_px, job.out);
  write_index(work, job.out);
  log.info(std::to_string(work.size()) + " pictures of " + std::to_string(work.prompts.size()) +
           " prompts are in " + job.out.string() + " (contact-001.png, index.csv)");
}

}  // namespace evd::evaluate
