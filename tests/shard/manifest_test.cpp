#include "shard/manifest.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "shard/identity.hpp"
#include "support/temp_dir.hpp"

namespace evd::shard {
namespace {

using evd::test::read_file;
using evd::test::TempDir;
using evd::test::write_file;

Manifest example() {
  Manifest manifest;
  manifest.campaign = "0123456789abcdef0123456789abcdef";
  manifest.stage = "judge";
  manifest.round = 3;
  manifest.attempt = 2;
  manifest.job = "4711-1";
  manifest.software = "evolvedirector 0.1.0";
  manifest.created_ms = 1767322800123;
  manifest.files = {{"set.h5", "samples", 12, 3456, sha256("a"), sha256("b")},
                    {"pairs.h5", "pairs", 1, 99, sha256("c"), sha256("d")}};
  manifest.inputs = {{"harvest", 3, sha256("e")}, {"judge", 2, sha256("f")}};
  manifest.content = content_of(manifest.files);
  manifest.science = sha256("science");
  manifest.config_toml = "[judge]\non_tie = \"keep\" # \u00e9\n";
  manifest.counts = {10, 2, 1, 4};
  manifest.by_teacher = {{"alpha", {5, 1, 0, 2}}, {"beta \"x\"", {5, 1, 1, 2}}};
  manifest.tallies = {{"expanded", 3}};
  manifest.seconds = {{"wall", 12.5}, {"cpu", 0.1}};
  manifest.cost_microusd = 123456;
  manifest.ambiguous_microusd = 7;
  manifest.ranks = 4;
  manifest.accepted_partial_by = "ada";
  return manifest;
}

TEST(Manifest, ComesBackAsItWas) {
  const TempDir dir;
  publish_manifest(dir.path(), example());
  const auto back = read_manifest(dir.path());
  ASSERT_TRUE(back);
  EXPECT_EQ(to_json(*back), to_json(example()));
  EXPECT_EQ(back->files[0].sha256, sha256("a"));
  EXPECT_EQ(back->inputs[1].round, 2);
  EXPECT_EQ(back->by_teacher.at("beta \"x\"").failed, 1);
  EXPECT_EQ(back->config_toml, example().config_toml);
  EXPECT_DOUBLE_EQ(back->seconds.at("cpu"), 0.1);
}

TEST(Manifest, NoFileIsNoManifest) {
  const TempDir dir;
  EXPECT_FALSE(read_manifest(dir.path()));
  EXPECT_FALSE(read_manifest(dir / "none"));
}

std::string message_of(const std::string& json) {
  try {
    static_cast<void>(parse_manifest(json, "here"));
  } catch (const DataError& error) {
    return error.what();
  }
  return "";
}

// Another text in the place of one, with the digest that fits.
std::string changed(std::string json, const std::string& from, const std::string& to) {
  const auto at = json.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  json.replace(at, from.size(), to);
  const auto mark = json.rfind(",\n \"manifest_sha256\"");
  const auto digest = sha256(json.substr(0, mark) + "\n}\n").hex();
  return json.replace(json.size() - 3 - 1 - digest.size(), digest.size(), digest);
}

TEST(Manifest, DamagedOnesAreToldWithTheirPlace) {
  const std::string json = to_json(example());
  for (const auto& bad :
       {std::string(), std::string("[]"), std::string("null"), std::string("{}"),
        json.substr(0, json.size() / 2), changed(json, "\"round\": 3", "\"round\": \"3\""),
        changed(json, sha256("a").hex(), "zz"), changed(json, "\"stage\"", "\"stag\""),
        changed(json, "\"bytes\": 3456", "\"bytes\": -1"), std::string(100'000, '[')}) {
    const auto said = message_of(bad);
    EXPECT_EQ(said.find("here: "), 0U) << said;
    EXPECT_EQ(said.find('\n'), std::string::npos) << said;
    EXPECT_LT(said.size(), 400U) << said;
  }
}

TEST(Manifest, ANewerVersionNamesWhatToUse) {
  const auto said = message_of(changed(to_json(example()), "\"version\": 1", "\"version\": 2"));
  EXPECT_NE(said.find("version 2 (this build reads 1) use the evolvedirector"), std::string::npos);
}

TEST(Manifest, FileNamesStayInTheDirectory) {
  for (const auto* name : {"../set.h5", "/etc/passwd", "a/../../b", "", "a//"}) {
    const auto said =
        message_of(changed(to_json(example()), "\"set.h5\"", "\"" + std::string(name) + "\""));
    EXPECT_NE(said.find("leads out of the directory"), std::string::npos) << name << said;
  }
  EXPECT_EQ(message_of(changed(to_json(example()), "\"set.h5\"", "\"parts/set.h5\"")), "");
}

TEST(Manifest, AFlippedByteIsNoticedOrHarmless) {
  const std::string json = to_json(example());
  for (std::size_t place = 0; place < json.size(); ++place) {
    for (const auto change : {1U, 4U, 16U, 128U}) {
      std::string damaged = json;
      damaged[place] = static_cast<char>(static_cast<unsigned char>(damaged[place]) ^ change);
      try {
        EXPECT_EQ(to_json(parse_manifest(damaged, "here")), json) << place;
      } catch (const DataError& error) {
        EXPECT_TRUE(std::string(error.what()).starts_with("here: ")) << error.what();
      }
    }
  }
}

TEST(Manifest, ATruncatedOneIsNoticed) {
  const std::string json = to_json(example());
  for (std::size_t size = 0; size + 2 < json.size(); ++size)
    ASSERT_NE(message_of(json.substr(0, size)), "") << size;
}

TEST(Manifest, ContentIsOfTheFilesInNameOrder) {
  auto files = example().files;
  const auto content = content_of(files);
  std::swap(files[0], files[1]);
  EXPECT_EQ(content_of(files), content);
  files[0].bytes += 1;
  files[0].sha256 = sha256("other file, same content");
  EXPECT_EQ(content_of(files), content);
  files[0].content = sha256("other");
  EXPECT_NE(content_of(files), content);
}

TEST(Identity, EqualPromptsAtEqualSizesAreOneSample) {
  EXPECT_EQ(sample_id("a cat", 512, 512), sample_id("a cat", 512, 512));
  EXPECT_NE(sample_id("a cat", 512, 512), sample_id("a cat", 512, 513));
  EXPECT_NE(sample_id("a cat", 512, 512), sample_id("A cat", 512, 512));
  // Part of the data: these may never change (computed by hand with Python's hashlib).
  EXPECT_EQ(sample_id("a cat", 512, 512).hex(), "24e64ca4f4c6cd34434fb425ec1de78b");
  const RequestKey key = RequestKey(sha256("key").bytes());
  EXPECT_EQ(image_id(key, sha256("bytes")).hex(), "985207564ca7b596131208e4dc4e992d");
  EXPECT_NE(image_id(key, sha256("bytes")), image_id(key, sha256("others")));
}

}  // namespace
}  // namespace evd::shard
