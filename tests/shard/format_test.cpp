// FORMAT.md against the code: its tables come from the rows, its examples run. With --update the
// tables are written anew instead.
#include <fstream>
#include <iostream>
#include <sstream>

#include <gtest/gtest.h>

#include "fs/file.hpp"
#include "shard/manifest.hpp"
#include "shard/random_rows.hpp"
#include "shard/round_row.hpp"
#include "shard/schema.hpp"
#include "shard/storage.hpp"
#include "shard/table.hpp"
#include "shard/training_rows.hpp"
#include "support/process.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::read_file;
using evd::test::TempDir;
using evd::test::write_file;

constexpr std::string_view kBegin = "do not edit below by hand -->\n";
constexpr std::string_view kEnd = "<!-- end of generated part -->";

std::filesystem::path document() { return evd::test::source_directory() / "lib/shard/FORMAT.md"; }

template <class T>
std::string stored_as(std::string_view table, std::string_view column) {
  const std::string name(column);
  if constexpr (kIsHexId<T>)
    return "id, " + std::to_string(T::kHexChars) + " hex";
  else if constexpr (kIsName<T>)
    return "int32 + `" + name + "_names`";
  else if constexpr (kIsBlob<T>)
    return "bytes + `" + name + "_offsets`, `" + name + "_xxh3`";
  else if constexpr (kIsText<T>)
    return table == "samples" && column == "prompt" ? "variable-length UTF-8"
                                                    : "UTF-8 bytes + `" + name + "_offsets`";
  else if constexpr (kIsBool<T>)
    return "bool";
  else if constexpr (kIsNumber<T>)
    return storage_type<T>().describe();
  else {
    std::string names;
    for (const auto word : EnumNames<T>::value)
      names += (names.empty() ? "" : ", ") + std::string(word);
    return "enum: " + names;
  }
}

template <class Row>
std::string table_of() {
  std::ostringstream out;
  out << "### " << table_name<Row>()
      << "\n\n| column | stored as | unit | meaning |\n|---|---|---|---|\n";
  for_each_column<Row>([&](const auto& column) {
    using T = typename std::decay_t<decltype(column)>::Value;
    out << "| `" << column.name << "` | " << stored_as<T>(table_name<Row>(), column.name) << " | "
        << column.info.unit << " | " << column.info.meaning
        << (column.info.is_volatile ? " *(volatile)*" : "") << " |\n";
  });
  out << '\n';
  return out.str();
}

// The one table that is in no file.
std::string table_of_rounds() {
  std::ostringstream out;
  out << "### rounds\n\nIn no file: `evd query` makes it of the manifests.\n\n"
         "| column | unit | meaning |\n|---|---|---|\n";
  for (const auto& column : schema_of<Round>().columns)
    out << "| `" << column.name << "` | " << column.info.unit << " | " << column.info.meaning
        << " |\n";
  out << '\n';
  return out.str();
}

std::string generated() {
  return "\n" + table_of<Sample>() + table_of<Image>() + table_of<Answer>() + table_of<Pair>() +
         table_of<Call>() + table_of<Prompt>() + table_of<Step>() + table_of<Visit>() +
         table_of<Block>() + table_of<Validation>() + table_of<Feature>() + table_of<FeatureUse>() +
         table_of<Metric>() + table_of_rounds();
}

// The document in three parts: before, the generated one, after.
std::array<std::string, 3> parts() {
  const std::string text = read_file(document());
  const auto begin = text.find(kBegin) + kBegin.size();
  const auto end = text.find(kEnd);
  return {text.substr(0, begin), text.substr(begin, end - begin), text.substr(end)};
}

TEST(Format, TablesInTheDocumentAreThoseOfTheCode) {
  EXPECT_EQ(parts()[1], generated()) << "run: shard_format_test --update";
}

std::vector<std::string> examples() {
  std::vector<std::string> found;
  const std::string text = read_file(document());
  constexpr std::string_view kOpen = "```python\n";
  for (auto at = text.find(kOpen); at != std::string::npos; at = text.find(kOpen, at)) {
    at += kOpen.size();
    found.push_back(text.substr(at, text.find("```", at) - at));
  }
  return found;
}

const FileHeader kHeader{"0123456789abcdef0123456789abcdef", 0, "judge", "", ""};

// A campaign in which the targets of a set lie in a retired result.
void write_campaign(const TempDir& dir) {
  auto images = test::random_rows<Image>(30, 1);
  for (auto& image : images) image.outcome = image.bytes.empty() ? Outcome::failed : Outcome::ok;
  const auto harvest = dir / "rounds/0000/harvest.retired-001";
  const auto judge = dir / "rounds/0000/judge";
  fs::make_directory(harvest);
  fs::make_directory(judge);
  Manifest manifest;
  manifest.files = {write_table<Image>(harvest / "images-00000.h5", kHeader, images)};
  publish_manifest(harvest, manifest);
  auto samples = test::random_rows<Sample>(40, 2);
  for (std::size_t i = 0; i < samples.size(); ++i) {
    samples[i].status = i % 2 == 0 ? Status::member : Status::removed;
    samples[i].target_row = i < 3 ? -1 : static_cast<std::int32_t>(i % images.size());
    if (i < 3) continue;
    samples[i].target_shard = manifest.files[0].sha256;
    samples[i].target_image = images[i % images.size()].id;
  }
  manifest.files = {write_table<Sample>(judge / "set.h5", kHeader, samples)};
  publish_manifest(judge, manifest);
  std::filesystem::copy(judge / "set.h5", dir / "set.h5");
  std::filesystem::copy(harvest / "images-00000.h5", dir / "images-00000.h5");
}

TEST(Format, EveryExampleRuns) {
  const TempDir dir;
  write_campaign(dir);
  write_table<Answer>(dir / "answers.h5", kHeader, test::random_rows<Answer>(20, 3));
  write_table<Pair>(dir / "pairs.h5", kHeader, test::random_rows<Pair>(20, 4));
  write_table<Call>(dir / "calls.h5", kHeader, test::random_rows<Call>(20, 5));
  write_table<Prompt>(dir / "pool-00000.h5", kHeader, test::random_rows<Prompt>(20, 6));
  write_table<Step>(dir / "steps.h5", kHeader, test::random_rows<Step>(20, 7));
  write_table<Visit>(dir / "visits.h5", kHeader, test::random_rows<Visit>(20, 9));
  write_table<Block>(dir / "blocks.h5", kHeader, test::random_rows<Block>(20, 10));
  write_table<Validation>(dir / "validations.h5", kHeader, test::random_rows<Validation>(20, 11));
  write_table<Metric>(dir / "metrics.h5", kHeader, test::random_rows<Metric>(20, 8));
  write_table<FeatureUse>(dir / "feature-uses.h5", kHeader, test::random_rows<FeatureUse>(20, 9));
  Feature feature;
  feature.tokens = 3;
  feature.channels = 5;
  feature.bytes.resize(2 * 3 * 5);
  write_table<Feature>(dir / "texts-00000.h5", kHeader, std::vector{feature});
  feature.kind = FeatureKind::latent;
  feature.tokens = 0;
  feature.channels = 4;
  feature.height = 2;
  feature.width = 6;
  feature.bytes.resize(2 * 2 * 4 * 2 * 6);
  write_table<Feature>(dir / "latents-00000.h5", kHeader, std::vector{feature});
  // A checkpoint of one tensor.
  const auto checkpoint = dir / "state/step-000000700";
  std::filesystem::create_directories(checkpoint);
  write_file(
      checkpoint / "index.json",
      R"({"tensors": {"final_layer.linear.bias": {"piece": 0, "offset": 1, "shape": [2]}}})");
  const std::string header =
      R"({"values": {"dtype": "F32", "shape": [4], "data_offsets": [0, 16]}})";
  std::string piece(8, '\0');
  piece[0] = static_cast<char>(header.size());
  write_file(checkpoint / "exp_avg-00000.safetensors", piece + header + std::string(16, '\0'));
  const auto all = examples();
  EXPECT_EQ(all.size(), 26U);
  for (const auto& example : all) {
    // The function that the others import.
    if (constexpr std::string_view kModule = "# read_table.py\n"; example.starts_with(kModule)) {
      write_file(dir / "read_table.py", example);
      continue;
    }
    write_file(dir / "example.py", example);
    const auto ran =
        evd::test::run({.arguments = {evd::test::test_python(), "-W", "error", "example.py"},
                        .directory = dir.path()});
    EXPECT_EQ(ran.code, 0) << example << ran.story();
    EXPECT_FALSE(ran.out.empty()) << example;
  }
}

// Comma-separated values by hand, sharing nothing with the export.
template <class Row>
void write_expected(const std::filesystem::path& path, const std::vector<Row>& rows) {
  std::ofstream out(path);
  out.precision(17);
  const auto cell = [&](const std::string& text) {
    out << '"';
    for (const char c : text) out << (c == '"' ? "\"\"" : std::string(1, c));
    out << "\",";
  };
  for_each_column<Row>([&](const auto& column) { cell(std::string(column.name)); });
  out << "\r\n";
  for (const Row& row : rows) {
    for_each_value(row, [&]<class T>(std::string_view, const T& value, const ColumnInfo&) {
      if constexpr (kIsHexId<T>)
        cell(value.hex());
      else if constexpr (kIsName<T>)
        cell(value.text);
      else if constexpr (kIsText<T>)
        cell(value);
      else if constexpr (kIsBlob<T>)
        cell(sha256(Bytes(value)).hex());
      else if constexpr (kIsBool<T>)
        cell(value ? "1" : "0");
      else if constexpr (kIsNumber<T>)
        out << value << ',';
      else
        cell(std::string(evd::name(value)));
    });
    out << "\r\n";
  }
}

template <class Row>
class FormatOf : public ::testing::Test {};
using Rows = ::testing::Types<Sample, Image, Answer, Pair, Call, Prompt, Step, Visit, Block,
                              Feature, FeatureUse, Metric>;
TYPED_TEST_SUITE(FormatOf, Rows);

TYPED_TEST(FormatOf, H5pyReadsWhatWasWritten) {
  const TempDir dir;
  const auto script = evd::test::source_directory() / "tests/shard/compare.py";
  for (const std::size_t count : {0U, 1U, 400U}) {
    const auto rows = test::random_rows<TypeParam>(count, 9);
    write_table<TypeParam>(dir / "table.h5", kHeader, rows);
    write_expected(dir / "expected.csv", rows);
    const auto ran = evd::test::run(
        {.arguments = {evd::test::test_python(), script.string(), (dir / "table.h5").string(),
                       (dir / "expected.csv").string()}});
    EXPECT_EQ(ran.code, 0) << ran.story();
    EXPECT_EQ(ran.out, std::to_string(count) + " rows equal\n");
  }
}

}  // namespace
}  // namespace evd::shard

int main(int argc, char** argv) {
  if (argc == 2 && std::string_view(argv[1]) == "--update") {
    const auto [before, old, after] = evd::shard::parts();
    evd::test::write_file(evd::shard::document(), before + evd::shard::generated() + after);
    std::cout << "written: " << evd::shard::document().string() << "\n";
    return 0;
  }
  ::testing::InitGoogleTest(&argc, argv);
  return RUN_ALL_TESTS();
}
