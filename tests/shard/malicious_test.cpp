// Files that h5py has made to mislead a reader: each is refused in one line that says why.
#include <fstream>
#include <functional>
#include <map>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "core/text.hpp"
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

}  // namespace
}  // namespace evd::shard
