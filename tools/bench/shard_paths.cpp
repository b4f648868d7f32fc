// The ways of a shard, timed: written, published, read. For tools/bench/shards. Prints one line of
// numbers, which the script names.
//   shard_paths make DIR MB PICTURE_BYTES    DIR/shard.h5 and its pictures in DIR/pictures/
//   shard_paths write DIR                    seconds to write the finished file and to sync it
//   shard_paths publish DIR COUNT            seconds of COUNT shards one after another, and more
//   shard_paths random DIR COUNT             samples a second, in random order
//   shard_paths sequential DIR               samples a second, all in order
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

#include "core/clock.hpp"
#include "core/error.hpp"
#include "core/memory.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "fs/publish.hpp"
#include "harvest/background.hpp"
#include "shard/table.hpp"

namespace {

using namespace evd;
namespace stdfs = std::filesystem;
using Rows = std::vector<shard::Image>;

constexpr double kMegabyte = 1e6;

shard::Blob noise(std::size_t bytes, std::uint64_t index) {
  Random random(1, Purpose::test, index);
  shard::Blob picture(bytes);
  for (auto& byte : picture) byte = static_cast<std::byte>(random.below(256));
  return picture;
}

// What harvest does with a recorded answer: takes its bytes and hashes them.
Rows rows_of(const std::vector<shard::Blob>& pictures) {
  Rows rows(pictures.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    rows[i].key = RequestKey(sha256(std::to_string(i)).bytes());
    rows[i].bytes = pictures[i];
    rows[i].sha256 = sha256(rows[i].bytes);
    rows[i].id = truncated<ImageId>(rows[i].sha256);
    rows[i].teacher = rows[i].model = {"bench"};
    rows[i].mime = {"image/png"};
  }
  return rows;
}

shard::FileHeader header() { return {CampaignId().hex(), 0, "harvest", "", ""}; }

std::vector<shard::Blob> all_pictures(const stdfs::path& directory) {
  const shard::Table<shard::Image> table(directory / "shard.h5");
  std::vector<shard::Blob> pictures;
  for (std::int64_t i = 0; i < table.rows(); ++i) pictures.push_back(table.blob(i));
  return pictures;
}

void make(const stdfs::path& directory, double megabytes, std::size_t picture_bytes) {
  const auto count = static_cast<std::size_t>(megabytes * kMegabyte) / picture_bytes;
  std::vector<shard::Blob> pictures;
  stdfs::create_directories(directory / "pictures");
  for (std::size_t i = 0; i < count; ++i) {
    pictures.push_back(noise(picture_bytes, i));
    std::ofstream file(directory / "pictures" / format("%06zu.png", i), std::ios::binary);
    file.write(reinterpret_cast<const char*>(pictures.back().data()),
               static_cast<std::streamsize>(picture_bytes));
  }
  const auto entry =
      shard::write_table<shard::Image>(directory / "shard.h5", header(), rows_of(pictures));
  std::printf("%lld %zu\n", static_cast<long long>(entry.bytes), count);
}

template <class Work>
double seconds_of(Work work) {
  const double begun_s = monotonic_s();
  work();
  return monotonic_s() - begun_s;
}

void write(const stdfs::path& directory) {
  const auto bytes = fs::read_bytes(directory / "shard.h5");
  const auto path = directory / "written";
  double write_s = 0;
  double sync_s = 0;
  const double all_s = seconds_of([&] {
    fs::AppendFile file(path);
    write_s = seconds_of([&] { file.append(bytes); });
    sync_s = seconds_of([&] { file.sync(); });
  });
  stdfs::remove(path);
  std::printf("%.6f %.6f %.6f\n", all_s, write_s, sync_s);
}

// Highest resident memory since the last call, in bytes.
double peak_bytes() {
  std::ifstream status("/proc/self/status");
  double peak_kib = 0;
  for (std::string line; std::getline(status, line);)
    if (line.rfind("VmHWM:", 0) == 0) peak_kib = std::stod(line.substr(6));
  std::ofstream("/proc/self/clear_refs") << "5";
  return peak_kib * 1024;
}

void publish(const stdfs::path& directory, int count) {
  const auto pictures = all_pictures(directory);
  const auto shard_bytes = static_cast<double>(stdfs::file_size(directory / "shard.h5"));
  const auto path = [&](int i) { return directory / format("part-%d.h5", i); };
  double rows_s = 0;
  double write_s = 0;
  static_cast<void>(peak_bytes());
  const double before_bytes = peak_bytes();
  // One after the other first, for the steps and for the memory of a single shard.
  {
    std::optional<Rows> rows;
    rows_s = seconds_of([&] { rows = rows_of(pictures); });
    write_s = seconds_of(
        [&] { static_cast<void>(shard::write_table<shard::Image>(path(0), header(), *rows)); });
  }
  const double single_bytes = peak_bytes() - before_bytes;
  const double all_s = seconds_of([&] {
    harvest::Background<shard::FileEntry> publishing;
    for (int i = 0; i < count; ++i) {
      auto rows = std::make_shared<const Rows>(rows_of(pictures));
      static_cast<void>(publishing.finish());
      publishing.begin(
          [rows, to = path(i)] { return shard::write_table<shard::Image>(to, header(), *rows); });
    }
    static_cast<void>(publishing.finish());
  });
  const double double_bytes = peak_bytes() - before_bytes;
  for (int i = 0; i < count; ++i) stdfs::remove(path(i));
  const auto file = fs::read_bytes(directory / "shard.h5");
  const double hash_s = seconds_of([&] { static_cast<void>(sha256(file)); });
  const double read_s =
      seconds_of([&] { static_cast<void>(fs::sha256_file(directory / "shard.h5")); });
  std::printf("%.6f %.6f %.6f %.6f %.6f %.3f %.3f\n", all_s / count, rows_s, write_s, hash_s,
              read_s, single_bytes / shard_bytes, double_bytes / shard_bytes);
}

void read_random(const stdfs::path& directory, int count) {
  const shard::Table<shard::Image> table(directory / "shard.h5");
  Random random(2, Purpose::test);
  std::uint64_t bytes = 0;
  const double all_s = seconds_of([&] {
    for (int i = 0; i < count; ++i)
      bytes += table
                   .blob(static_cast<std::int64_t>(
                       random.below(static_cast<std::uint64_t>(table.rows()))))
                   .size();
  });
  if (bytes == 0) throw std::runtime_error("nothing was read");
  std::printf("%.1f\n", count / all_s);
}

void read_sequential(const stdfs::path& directory) {
  std::uint64_t bytes = 0;
  std::int64_t rows = 0;
  const double all_s = seconds_of([&] {
    const shard::Table<shard::Image> table(directory / "shard.h5");
    rows = table.rows();
    for (std::int64_t i = 0; i < rows; ++i) bytes += table.blob(i).size();
  });
  if (bytes == 0) throw std::runtime_error("nothing was read");
  std::printf("%.1f\n", static_cast<double>(rows) / all_s);
}

int run(const std::vector<std::string>& words) {
  keep_freed_memory();
  const std::string what = words.empty() ? "" : words[0];
  if (what == "make" && words.size() == 4) {
    make(words[1], std::stod(words[2]), std::stoul(words[3]));
  } else if (what == "write" && words.size() == 2) {
    write(words[1]);
  } else if (what == "publish" && words.size() == 3) {
    publish(words[1], std::stoi(words[2]));
  } else if (what == "random" && words.size() == 3) {
    read_random(words[1], std::stoi(words[2]));
  } else if (what == "sequential" && words.size() == 2) {
    read_sequential(words[1]);
  } else {
    std::fprintf(stderr, "usage: shard_paths make|write|publish|random|sequential DIR ...\n");
    return 64;
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) try {
  return run({argv + 1, argv + argc});
} catch (const std::exception& error) {
  std::fprintf(stderr, "shard_paths: %s\n", error.what());
  return 70;
}
