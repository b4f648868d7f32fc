// Files that h5py has made to mislead a reader: each is refused in one line that says why.
#include <fstream>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
#include "shard/format.hpp"
#include "shard/random_rows.hpp"
#include "shard/table.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::TempDir;

template <class Row>
void read_all(const std::filesystem::path& path) {
  const Table<Row> table(path);
  const auto rows = table.read();
  if constexpr (requires { rows[0].bytes; })
    for (std::size_t i = 0; i < rows.size(); ++i)
      static_cast<void>(table.blob(static_cast<std::int64_t>(i)));
}

template <class Row>
void write_good(const TempDir& dir) {
  auto rows = test::random_rows<Row>(50, 5);
  // Something in the first row of every ragged column, for the script to change.
  for_each_column<Row>([&](const auto& column) {
    using T = typename std::decay_t<decltype(column)>::Value;
    if constexpr (kIsText<T>) column.of(rows[0]) = "first";
    if constexpr (kIsBlob<T>) column.of(rows[0]).resize(10);
    if constexpr (kIsName<T>)
      for (std::size_t i = 0; i < 5; ++i) column.of(rows[i]).text = std::to_string(i);
  });
  write_table<Row>(dir / (std::string(table_name<Row>()) + ".h5"),
                   {"c0ffee", 1, "judge", "2026-01-02T03:04:05Z", ""}, rows);
}

TEST(Malicious, EveryBadFileIsRefusedWithItsReason) {
  const TempDir dir;
  write_good<Step>(dir);
  write_good<Sample>(dir);
  write_good<Image>(dir);
  write_good<Answer>(dir);
  const auto script = evd::test::source_directory() / "tests/shard/malicious.py";
  const auto made = evd::test::run(
      {.arguments = {evd::test::test_python(), script.string(), dir.path().string()}});
  ASSERT_EQ(made.code, 0) << made.story();

  const std::map<std::string, std::function<void(const std::filesystem::path&)>> readers = {
      {"steps", read_all<Step>},
      {"samples", read_all<Sample>},
      {"images", read_all<Image>},
      {"answers", read_all<Answer>}};
  std::ifstream cases(dir / "cases.tsv");
  int count = 0;
  for (std::string line; std::getline(cases, line); ++count) {
    const auto fields = split(line, '\t');
    ASSERT_EQ(fields.size(), 3U) << line;
    std::string said;
    try {
      readers.at(fields[1])(dir / fields[0]);
    } catch (const DataError& error) {
      said = error.what();
    } catch (const std::exception& error) {
      ADD_FAILURE() << fields[0] << ": no DataError: " << error.what();
      continue;
    }
    if (fields[2].empty()) {
      EXPECT_EQ(said, "") << fields[0];
      continue;
    }
    EXPECT_NE(said.find(fields[2]), std::string::npos) << fields[0] << ": " << said;
    EXPECT_EQ(said.find((dir / fields[0]).string()), 0U) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    EXPECT_LT(said.size(), 600U) << said;
  }
  EXPECT_GE(count, 60);
}

// Bug: columns are only added, but a file from before one was added could not be read.
TEST(OlderFile, LacksColumnsThatCameLater) {
  const TempDir dir;
  write_good<Step>(dir);
  write_good<Image>(dir);
  const auto without = [&](const std::string& table, const std::vector<std::string>& datasets,
                           int minor) {
    const auto path = dir / ("without " + datasets.front() + std::to_string(minor) + ".h5");
    std::filesystem::copy_file(dir / (table + ".h5"), path);
    std::vector<std::string> arguments = {
        evd::test::test_python(), "-c",
        "import h5py, sys\n"
        "with h5py.File(sys.argv[1], 'r+') as file:\n"
        "    file.attrs.create('version', [1, int(sys.argv[2])], dtype='<i4')\n"
        "    for name in sys.argv[3:]: del file[name]\n",
        path.string(), std::to_string(minor)};
    arguments.insert(arguments.end(), datasets.begin(), datasets.end());
    const auto made = evd::test::run({.arguments = arguments});
    EXPECT_EQ(made.code, 0) << made.story();
    return path;
  };
  const int older = format::kMinor - 1;
  const auto steps = read_table<Step>(without("steps", {"loss"}, older));
  const auto whole = read_table<Step>(dir / "steps.h5");
  ASSERT_EQ(steps.size(), whole.size());
  EXPECT_EQ(steps[3].step, whole[3].step);
  EXPECT_EQ(steps[3].loss, Step{}.loss);
  const std::vector<std::vector<std::string>> ragged = {
      {"reason", "reason_names"},
      {"revised_prompt", "revised_prompt_offsets"},
      {"bytes", "bytes_offsets", "bytes_xxh3"},
      {"outcome"}};
  for (const auto& datasets : ragged) {
    const Table<Image> table(without("images", datasets, older));
    const auto rows = table.read();
    EXPECT_EQ(rows.size(), 50U);
    EXPECT_EQ(rows[0].id, read_table<Image>(dir / "images.h5")[0].id);
  }
  // What this version has, a file of this version has.
  EXPECT_THROW((void)read_table<Step>(without("steps", {"loss"}, format::kMinor)), DataError);
  EXPECT_THROW((void)read_table<Step>(without("steps", {"loss"}, format::kMinor + 1)), DataError);
  EXPECT_THROW((void)read_table<Image>(without("images", {"reason_names"}, older)), DataError);
  EXPECT_THROW((void)read_table<Step>(without("steps", {"step"}, older)), DataError);
}

}  // namespace
}  // namespace evd::shard
