// Every kind of table, damaged at random places: a reader must notice or give back equal rows.
#include <algorithm>
#include <cstdlib>

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "shard/random_rows.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::read_file;
using evd::test::TempDir;
using evd::test::write_file;

// More than the default for a long search: EVD_TEST_FLIPS=100000.
std::uint64_t flips() {
  const char* text = std::getenv("EVD_TEST_FLIPS");
  return text == nullptr ? 300 : std::strtoull(text, nullptr, 10);
}

template <class Row>
class DamageOf : public ::testing::Test {
 protected:
  DamageOf() : rows_(test::random_rows<Row>(40, 7)), path_(dir_ / "table.h5") {
    write_table<Row>(path_, {"c0ffee", 1, "judge", "2026-01-02T03:04:05Z", ""}, rows_);
    whole_ = read_file(path_);
  }

  // "" when the file reads back equal, "noticed" when it is refused, else what went wrong.
  std::string outcome_of(const std::string& content) const {
    // A new name each time: the old file's pages must not stand in.
    write_file(path_, content);
    try {
      const Table<Row> table(path_);
      const auto back = table.read();
      if (back.size() != rows_.size()) return "another number of rows";
      for (std::size_t i = 0; i < back.size(); ++i) {
        if (const auto column = test::difference(rows_[i], back[i]); !column.empty())
          return "row " + std::to_string(i) + " has another " + column;
        if constexpr (requires { rows_[i].bytes; })
          if (table.blob(static_cast<std::int64_t>(i)) != rows_[i].bytes) return "another picture";
      }
      return "";
    } catch (const DataError& error) {
      const std::string what = error.what();
      if (what.find(path_.string()) != 0) return "no path: " + what;
      if (what.find('\n') != std::string::npos) return "more than a line: " + what;
      return "noticed";
    } catch (const std::exception& error) {
      return std::string("no DataError: ") + error.what();
    }
  }

  TempDir dir_;
  std::vector<Row> rows_;
  std::filesystem::path path_;
  std::string whole_;
};

using Rows = ::testing::Types<Sample, Image, Answer, Pair, Call, Prompt, Step, Visit, Block,
                              Feature, FeatureUse, Metric>;
TYPED_TEST_SUITE(DamageOf, Rows);

TYPED_TEST(DamageOf, AFlippedByteIsNoticedOrHarmless) {
  ASSERT_EQ(this->outcome_of(this->whole_), "");
  Random random(11, Purpose::test);
  std::size_t noticed = 0;
  for (std::uint64_t i = 0; i < flips(); ++i) {
    const std::size_t place = random.below(this->whole_.size());
    std::string damaged = this->whole_;
    // Half of the damage is one bit, half a whole byte.
    const auto change = i % 2 == 0 ? 1U << random.below(8) : 1 + random.below(255);
    damaged[place] = static_cast<char>(static_cast<unsigned char>(damaged[place]) ^ change);
    const auto outcome = this->outcome_of(damaged);
    noticed += outcome == "noticed" ? 1 : 0;
    ASSERT_TRUE(outcome.empty() || outcome == "noticed") << "byte " << place << ": " << outcome;
  }
  EXPECT_GT(noticed, flips() / 10);
}

TYPED_TEST(DamageOf, ATruncatedFileIsNoticed) {
  for (std::size_t size = 0; size < this->whole_.size(); size += 512)
    ASSERT_EQ(this->outcome_of(this->whole_.substr(0, size)), "noticed") << size;
  ASSERT_EQ(this->outcome_of(this->whole_.substr(0, this->whole_.size() - 1)), "noticed");
}

TYPED_TEST(DamageOf, AZeroedPageIsNoticedOrHarmless) {
  for (std::size_t begin = 0; begin < this->whole_.size(); begin += 4096) {
    std::string damaged = this->whole_;
    const auto end = std::min(begin + 4096, damaged.size());
    std::fill(damaged.begin() + static_cast<std::ptrdiff_t>(begin),
              damaged.begin() + static_cast<std::ptrdiff_t>(end), '\0');
    const auto outcome = this->outcome_of(damaged);
    ASSERT_TRUE(outcome.empty() || outcome == "noticed") << "page at " << begin << ": " << outcome;
  }
}

}  // namespace
}  // namespace evd::shard
