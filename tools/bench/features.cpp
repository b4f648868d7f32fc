// Training features read in random order, by what training reads them with or by pread alone. For
// tools/bench/features.
//   features make DIR MB                          texts-*.h5 and latents-*.h5 in DIR; prints how
//                                                 many samples, and their bytes
//   features ranges DIR                           where the bytes of each sample lie: of its text
//                                                 FILE OFFSET BYTES, of its latents the same
//   features ours|pread DIR THREADS warm|cold     reads all samples again and again, each time in
//                                                 another order: "step BEGUN ENDED" after each;
//                                                 cold: the files leave the page cache before each
#include "data/features.hpp"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <cstring>
#include <exception>
#include <filesystem>
#include <functional>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <fcntl.h>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/descriptor.hpp"
#include "shard/file_columns.hpp"
#include "shard/table.hpp"

namespace {

using namespace evd;
using shard::Feature;
using shard::FeatureKind;
namespace stdfs = std::filesystem;

// Of T5 v1.1 XXL; of Stable Diffusion's VAE at 512 px.
constexpr int kTextChannels = 4096;
constexpr int kFewestTokens = 3;
constexpr int kMostTokens = 120;
constexpr int kLatentChannels = 4;
constexpr int kLatentSide = 64;
constexpr std::size_t kShardBytes = 64 << 20;  // as features.shard_mib is by default

// Random signs and fractions, and four exponents about that of 1: subnormal numbers, of which real
// features have none, would take longer to convert.
shard::Blob noise(std::size_t values, FeatureKind kind, Random& random) {
  const std::uint64_t free = kind == FeatureKind::text ? 0x81ff81ff81ff81ffU : 0x8fff8fff8fff8fffU;
  const std::uint64_t base = kind == FeatureKind::text ? 0x3e003e003e003e00U : 0x3000300030003000U;
  shard::Blob bytes(values * sizeof(std::uint16_t));
  for (std::size_t i = 0; i < bytes.size(); i += sizeof(std::uint64_t)) {
    const std::uint64_t four = (random.next_u64() & free) | base;
    std::memcpy(&bytes[i], &four, std::min(sizeof four, bytes.size() - i));
  }
  return bytes;
}

Feature feature(FeatureKind kind, std::uint64_t sample) {
  Random random(1, Purpose::test, sample, static_cast<std::uint64_t>(kind));
  Feature row;
  row.kind = kind;
  if (kind == FeatureKind::text) {
    row.tokens = kFewestTokens + static_cast<int>(random.below(kMostTokens - kFewestTokens + 1));
    row.channels = kTextChannels;
    row.bytes = noise(static_cast<std::size_t>(row.tokens) * kTextChannels, kind, random);
  } else {
    row.channels = kLatentChannels;
    row.height = row.width = kLatentSide;
    row.bytes = noise(std::size_t{2} * kLatentChannels * kLatentSide * kLatentSide, kind, random);
  }
  row.sha256 = sha256(Bytes(row.bytes));
  row.key = RequestKey(row.sha256.bytes());
  return row;
}

// Rows of one kind, published whenever they fill a file.
class Shards {
 public:
  Shards(stdfs::path directory, std::string stem)
      : directory_(std::move(directory)), stem_(std::move(stem)) {}
  void add(Feature row) {
    bytes_ += row.bytes.size();
    rows_.push_back(std::move(row));
    if (bytes_ >= kShardBytes) publish();
  }
  void publish() {
    if (rows_.empty()) return;
    const shard::FileHeader header{CampaignId().hex(), 0, "train", "", ""};
    static_cast<void>(shard::write_table<Feature>(
        directory_ / format("%s-%05d.h5", stem_.c_str(), number_++), header, rows_));
    bytes_ = 0;
    rows_.clear();
  }

 private:
  stdfs::path directory_;
  std::string stem_;
  std::vector<Feature> rows_;
  std::size_t bytes_ = 0;
  int number_ = 0;
};

void make(const stdfs::path& directory, double megabytes) {
  stdfs::create_directories(directory);
  Shards texts(directory, "texts");
  Shards latents(directory, "latents");
  std::size_t bytes = 0;
  std::uint64_t samples = 0;
  for (; static_cast<double>(bytes) < megabytes * 1e6; ++samples) {
    auto text = feature(FeatureKind::text, samples);
    auto latent = feature(FeatureKind::latent, samples);
    bytes += text.bytes.size() + latent.bytes.size();
    texts.add(std::move(text));
    latents.add(std::move(latent));
  }
  texts.publish();
  latents.publish();
  std::printf("%llu %zu\n", static_cast<unsigned long long>(samples), bytes);
}

// Files of texts first, then of latents; sample i has row i of each, counted through the files.
std::vector<stdfs::path> files_of(const stdfs::path& directory, const char* stem) {
  std::vector<stdfs::path> files;
  for (const auto& entry : stdfs::directory_iterator(directory))
    if (entry.path().filename().string().starts_with(stem)) files.push_back(entry.path());
  std::sort(files.begin(), files.end());
  return files;
}

struct Range {
  std::size_t file = 0;
  std::uint64_t offset = 0;
  std::size_t bytes = 0;
};
struct Set {
  std::vector<stdfs::path> files;
  std::vector<Range> texts;
  std::vector<Range> latents;
  data::FeatureSamples::Places places;
};

void add_rows(Set& set, const stdfs::path& path, std::vector<Range>& ranges,
              std::vector<data::FeaturePlace>& places) {
  const shard::FileColumns columns(path, shard::table_name<Feature>(), "key");
  const auto ragged = columns.ragged("bytes");
  for (std::size_t row = 0; row + 1 < ragged.offsets.size(); ++row) {
    ranges.push_back({set.files.size(), ragged.extent.offset + ragged.offsets[row],
                      ragged.offsets[row + 1] - ragged.offsets[row]});
    places.push_back({static_cast<std::int32_t>(set.files.size()), static_cast<std::int32_t>(row)});
  }
  set.files.push_back(path);
}

Set open_set(const stdfs::path& directory) {
  Set set;
  for (const auto& path : files_of(directory, "texts-"))
    add_rows(set, path, set.texts, set.places.texts);
  for (const auto& path : files_of(directory, "latents-"))
    add_rows(set, path, set.latents, set.places.latents);
  if (set.texts.empty() || set.texts.size() != set.latents.size())
    throw DataError(directory.string() + ": no feature files of whole samples");
  return set;
}

void print_ranges(const Set& set) {
  const auto print = [&](const Range& range, const char* end) {
    std::printf("%s %llu %zu%s", set.files[range.file].c_str(),
                static_cast<unsigned long long>(range.offset), range.bytes, end);
  };
  for (std::size_t i = 0; i < set.texts.size(); ++i) {
    print(set.texts[i], " ");
    print(set.latents[i], "\n");
  }
}

void drop_from_cache(const Set& set) {
  for (const auto& path : set.files) {
    const fs::Descriptor file("open", path, O_RDONLY);
    if (::posix_fadvise(file.number(), 0, 0, POSIX_FADV_DONTNEED) != 0)
      throw IoError("posix_fadvise " + path.string());
  }
}

using Read = std::function<void(std::size_t sample)>;

// Threads take the next sample of the order until there is none.
void read_all(const std::vector<std::uint32_t>& order, int threads,
              const std::function<Read()>& reader) {
  std::atomic<std::size_t> next = 0;
  std::atomic<bool> failed = false;
  const auto work = [&] {
    try {
      const Read read = reader();
      for (std::size_t i = next++; i < order.size(); i = next++) read(order[i]);
    } catch (const std::exception& error) {
      std::fprintf(stderr, "features: %s\n", error.what());
      failed = true;
    }
  };
  std::vector<std::thread> pool;
  for (int i = 0; i < threads; ++i) pool.emplace_back(work);
  for (auto& thread : pool) thread.join();
  if (failed) throw std::runtime_error("a thread failed");
}

[[noreturn]] void repeat(const Set& set, int threads, bool is_cold,
                         const std::function<Read()>& reader) {
  for (std::uint64_t pass = 0;; ++pass) {
    const auto order =
        permutation(Random(2, Purpose::test, pass), static_cast<std::uint32_t>(set.texts.size()));
    if (is_cold) drop_from_cache(set);
    const double begun_s = monotonic_s();
    read_all(order, threads, reader);
    std::printf("step %.6f %.6f\n", begun_s, monotonic_s());
    std::fflush(stdout);
  }
}

[[noreturn]] void by_ours(const Set& set, int threads, bool is_cold) {
  const data::FeatureFiles files(set.files);
  const data::FeatureSamples samples(files, set.places, kTextChannels, kLatentChannels, nullptr);
  repeat(set, threads, is_cold, [&]() -> Read {
    return [&](std::size_t sample) {
      if (samples.load(sample).text.empty()) throw std::runtime_error("nothing was read");
    };
  });
}

// Each thread into one buffer of its own.
[[noreturn]] void by_pread(const Set& set, int threads, bool is_cold) {
  std::vector<fs::ReadFile> files;
  for (const auto& path : set.files) files.emplace_back(path);
  std::size_t most = 0;
  for (const auto* ranges : {&set.texts, &set.latents})
    for (const auto& range : *ranges) most = std::max(most, range.bytes);
  repeat(set, threads, is_cold, [&]() -> Read {
    return [&, buffer = std::vector<std::byte>(most)](std::size_t sample) mutable {
      for (const auto* ranges : {&set.texts, &set.latents}) {
        const auto& range = (*ranges)[sample];
        files[range.file].read_at(range.offset, std::span(buffer).first(range.bytes));
      }
    };
  });
}

int run(const std::vector<std::string>& words) {
  const std::string what = words.empty() ? "" : words[0];
  if (what == "make" && words.size() == 3) {
    make(words[1], std::stod(words[2]));
    return 0;
  }
  if (what == "ranges" && words.size() == 2) {
    print_ranges(open_set(words[1]));
    return 0;
  }
  if ((what == "ours" || what == "pread") && words.size() == 4) {
    const Set set = open_set(words[1]);
    const int threads = std::stoi(words[2]);
    if (what == "ours") by_ours(set, threads, words[3] == "cold");
    by_pread(set, threads, words[3] == "cold");
  }
  std::fprintf(stderr, "usage: features make|ranges|ours|pread DIR ...\n");
  return 64;
}

}  // namespace

int main(int argc, char** argv) try {
  return run({argv + 1, argv + argc});
} catch (const std::exception& error) {
  std::fprintf(stderr, "features: %s\n", error.what());
  return 70;
}
