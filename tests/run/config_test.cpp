#include "run/config.hpp"

#include <gtest/gtest.h>

#include "core/error.hpp"
#include "run/create.hpp"
#include "run/fields.hpp"
#include "support/temp_dir.hpp"

namespace evd::run {
namespace {

// What is said about a configuration that is refused.
std::string complaint(std::string_view toml) {
  try {
    static_cast<void>(parse_config(toml, "a.toml"));
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "nothing";
}

std::string setting_complaint(const std::string& setting) {
  Config config;
  config.teachers.push_back({.name = "alpha"});
  try {
    apply_settings(config, {setting});
  } catch (const ConfigurationError& error) {
    return error.what();
  }
  return "nothing";
}

constexpr const char* kTeacher = "[[teacher]]\nname = \"alpha\"\n";

TEST(Config, DefaultsNeedNoFile) {
  const Config config = parse_config("", "none");
  EXPECT_EQ(config.set.start_samples, 20000);
  EXPECT_TRUE(config.teachers.empty());
}

TEST(Config, ReadsEveryKindOfValue) {
  const Config config = parse_config(R"(
[campaign]
name = "a \"quoted\" näme"
seed = 42
[train]
lr = 1
staleness = 0
[judge]
on_tie = "delete"
expand = false
[set]
start_samples = 7
[[teacher]]
name = "beta"
price_usd = 0.25
[[teacher]]
name = "alpha"
)",
                                     "a.toml");
  EXPECT_EQ(config.campaign.name, "a \"quoted\" näme");
  EXPECT_EQ(config.campaign.seed, 42U);
  EXPECT_EQ(config.train.lr, 1.0) << "a whole number is a number";
  EXPECT_EQ(config.judge.on_tie, OnTie::remove);
  EXPECT_FALSE(config.judge.expand);
  EXPECT_EQ(config.set.start_samples, 7);
  ASSERT_EQ(config.teachers.size(), 2U);
  EXPECT_EQ(config.teachers[0].name, "beta");
  EXPECT_EQ(config.teachers[0].price_usd, 0.25);
}

TEST(Config, TheJudgesDialectIsNoScience) {
  const auto plain =
      parse_config("[vlm]\ntoken_limit = \"max_tokens\"\nstructured = \"none\"\n", "a.toml");
  EXPECT_EQ(plain.vlm.dialect.token_limit, vlm::TokenLimit::max_tokens);
  EXPECT_EQ(plain.vlm.dialect.structured, vlm::Structured::none);
  EXPECT_EQ(plain.vlm.wire, teacher::Wire::openai_chat);
  EXPECT_EQ(science_digest(plain), science_digest(Config()));
  EXPECT_NE(complaint("[[teacher]]\nname = \"alpha\"\nstructured = \"none\"\n").find("unknown key"),
            std::string::npos);
}

TEST(Config, AnUnknownKeyIsNamedWithTheNearest) {
  EXPECT_EQ(complaint("[train]\nlr = 1\nbatchs = 3\n"),
            "a.toml:3: unknown key train.batchs (did you mean train.batch?)");
  EXPECT_EQ(complaint("[train]\nguidance = 3.0\n"),
            "a.toml:2: unknown key train.guidance (did you mean evaluate.guidance?)");
  EXPECT_EQ(complaint("[trian]\nlr = 1\n"),
            "a.toml:1: unknown table [trian] (did you mean train?)");
  EXPECT_NE(complaint("[cap]\nzzzzzzzz = 1\n").find("its keys: max_samples, policy"),
            std::string::npos);
  EXPECT_EQ(complaint("[[teacher]]\nname = \"alpha\"\npriceusd = 1\n"),
            "a.toml:3: unknown key teacher.alpha.priceusd (did you mean teacher.alpha.price_usd?)");
  EXPECT_NE(complaint("lr = 1\n").find("a.toml:1: unknown key lr"), std::string::npos);
}

TEST(Config, AWrongTypeNamesKeyValueMeaningAndRange) {
  EXPECT_EQ(complaint("[train]\nbatch = \"many\"\n"),
            "a.toml:2: train.batch = \"many\" is not a whole number (global batch, over all ranks, "
            "in images); allowed: 1 .. 1000000");
  EXPECT_NE(complaint("[train]\nbatch = 1.5\n").find("train.batch = 1.5 is not a whole number"),
            std::string::npos);
  EXPECT_NE(complaint("[train]\nlr = true\n").find("train.lr = true is not a number"),
            std::string::npos);
  EXPECT_NE(complaint("[judge]\nexpand = 1\n").find("judge.expand = 1 is not true or false"),
            std::string::npos);
  EXPECT_NE(complaint("[judge]\non_tie = \"drop\"\n").find("is not one of: keep, delete"),
            std::string::npos);
  EXPECT_NE(complaint("[campaign]\nname = 3\n").find("campaign.name = 3 is not a text"),
            std::string::npos);
  EXPECT_NE(complaint("[train]\nlr = [1, 2]\n").find("holds a table, list or date"),
            std::string::npos);
}

TEST(Config, OutOfRangeNamesTheRangeAndUnit) {
  EXPECT_EQ(complaint("[train]\nbatch = 0\n"),
            "a.toml:2: train.batch = 0 is out of range (global batch, over all ranks, in images); "
            "allowed: 1 .. 1000000 images");
  EXPECT_NE(complaint("[train]\nlr = nan\n").find("out of range"), std::string::npos);
  EXPECT_NE(complaint("[train]\nlr = inf\n").find("out of range"), std::string::npos);
  EXPECT_NE(complaint("[campaign]\nseed = -1\n").find("out of range"), std::string::npos);
  EXPECT_NE(complaint("[train]\nbatch = 9223372036854775807\n").find("out of range"),
            std::string::npos);
}

TEST(Config, WrongTomlNamesTheLine) {
  EXPECT_EQ(complaint("[train]\nlr = = 1\n").substr(0, 19), "a.toml:2: not TOML:");
  EXPECT_NE(complaint("[train]\nlr = 1\nlr = 2\n").find("a.toml:3"), std::string::npos);
  EXPECT_NE(complaint("[train]\nlr = \"\xff\xfe\"\n").find("not TOML"), std::string::npos);
  EXPECT_NE(complaint("[teacher]\nname = \"a\"\n").find("write [[teacher]]"), std::string::npos);
  EXPECT_NE(complaint("[[vlm]]\nname = \"a\"\n").find("vlm is one table: write [vlm]"),
            std::string::npos);
  EXPECT_NE(complaint("[[teacher]]\nmodel = \"a\"\n").find("has no name"), std::string::npos);
}

TEST(Config, KeysThatDependOnEachOther) {
  const auto says = [](const std::string& toml, const char* what) {
    EXPECT_NE(complaint(toml).find(what), std::string::npos) << toml << complaint(toml);
  };
  says("[network]\npatch = 5\n", "network.patch = 5 does not divide network.input_size = 32");
  says("[network]\nhead_dim = 48\n", "network.head_dim = 48 does not divide network.width = 128");
  says("[diffusion]\nbeta_start = 0.5\n", "is not below diffusion.beta_end");
  says("[evaluate]\nsteps = 500\n[diffusion]\ntimesteps = 100\n", "is above diffusion.timesteps");
  says("[train]\nema = 1.0\n", "train.ema = 1 must be below 1");
  says("[base]\ninit = \"file\"\n", "needs base.file");
  says("[base]\nsha256 = \"abc\"\n", "base.sha256 is not 64");
  says(std::string(kTeacher) + kTeacher, "the name \"alpha\" is given to two services");
  says("[[teacher]]\nname = \"vlm\"\n", "the name \"vlm\" is given to two services");
  says("[[teacher]]\nname = \"base\"\n", "is taken");
  says("[[teacher]]\nname = \"imported\"\n", "is taken");
  says("[[teacher]]\nname = \"a/b\"\n", "is no name");
  says(std::string(kTeacher) + "wire = \"openai_chat\"\n", "which it must speak");
  says(std::string(kTeacher) + "base_url = \"ftp://x\"\n", "neither an http(s) URL");
  says(std::string(kTeacher) + "base_url = \"rehearsal\"\n", "needs rehearsal.enabled = true");
  says(std::string(kTeacher) + "max_side = 256\n",
       "set.width = 512 px, but teacher alpha draws 64 .. 256");
  says(std::string(kTeacher) + "key_env = \"A\"\nkey_file = \"b\"\n", "keep one");
  says(std::string(kTeacher) + "[harvest]\nmin_teachers = 2\n", "there are 1 teachers");
}

// A key pasted where its variable's name belongs must not be repeated anywhere.
TEST(Config, AKeyIsNeverRepeated) {
  const auto text = complaint(std::string(kTeacher) + "key_env = \"sk-proj-1234\"\n");
  EXPECT_NE(text.find("key_env is no name of an environment variable"), std::string::npos) << text;
  EXPECT_EQ(text.find("1234"), std::string::npos) << text;
  const auto url = complaint(std::string(kTeacher) + "base_url = \"https://me:secret@host/v1\"\n");
  EXPECT_EQ(url.find("secret"), std::string::npos) << url;
}

TEST(Config, SettingsAreReadAsTheirKeysWantThem) {
  Config config = parse_config(kTeacher, "a.toml");
  apply_settings(config,
                 {"train.lr=1e-4", "train.batch = 32", "judge.expand=false", "judge.on_tie=delete",
                  "campaign.name=1e3", "teacher.alpha.price_usd=2", "vlm.model=m=3"});
  EXPECT_EQ(config.train.lr, 1e-4);
  EXPECT_EQ(config.train.batch, 32);
  EXPECT_FALSE(config.judge.expand);
  EXPECT_EQ(config.judge.on_tie, OnTie::remove);
  EXPECT_EQ(config.campaign.name, "1e3");
  EXPECT_EQ(config.teachers[0].price_usd, 2.0);
  EXPECT_EQ(config.vlm.model, "m=3");
}

TEST(Config, WrongSettingsAreNamed) {
  EXPECT_NE(setting_complaint("train.lr").find("is not key=value"), std::string::npos);
  EXPECT_EQ(setting_complaint("train.bach=3"),
            "unknown key train.bach (did you mean train.batch?)");
  EXPECT_EQ(setting_complaint("lr=3"), "unknown key lr (did you mean train.lr?)");
  EXPECT_NE(setting_complaint("teacher.alpah.model=x").find("did you mean teacher.alpha.model?"),
            std::string::npos)
      << setting_complaint("teacher.alpah.model=x");
  EXPECT_NE(setting_complaint("teacher.zzzzzzzzzzzz.model=x").find("teachers: alpha"),
            std::string::npos)
      << setting_complaint("teacher.zzzzzzzzzzzz.model=x");
  EXPECT_NE(setting_complaint("train.batch=1e9").find("not a whole number"), std::string::npos);
  EXPECT_NE(setting_complaint("train.lr=ten").find("train.lr = \"ten\" is not a number"),
            std::string::npos);
  EXPECT_NE(setting_complaint("network.patch=5").find("does not divide"), std::string::npos);
}

TEST(Config, TomlReadsBackTheSame) {
  Config config = parse_config(std::string(kTeacher) + "base_url = \"https://x/v1\"\n", "a.toml");
  config.campaign.name = "tab\there, \"quotes\", back\\slash, line\nend, é, \x01";
  config.campaign.seed = (1ULL << 63) - 1;
  config.train.lr = 0.1 + 0.2;
  config.train.epsilon = 1e-300;
  config.rehearsal.position_bias = -3;
  const std::string text = to_toml(config);
  const Config again = parse_config(text, "again.toml");
  EXPECT_EQ(to_toml(again), text);
  EXPECT_TRUE(changes(config, again).empty());
  EXPECT_EQ(science_digest(again), science_digest(config));
  EXPECT_NE(
      text.find(
          "# linear, in applied updates of the whole campaign [steps; 0 .. 100000000; science]\n"
          "warmup_steps = 1000\n"),
      std::string::npos)
      << text;
}

TEST(Config, DigestKnowsScienceAndIdentityOnly) {
  const Config config = parse_config(kTeacher, "a.toml");
  const auto digest_with = [&](const std::string& setting) {
    Config other = config;
    apply_settings(other, {setting});
    return science_digest(other);
  };
  const auto digest = science_digest(config);
  for (const char* operation : {"campaign.name=x", "budget.usd=1", "evaluate.batch=3",
                                "teacher.alpha.base_url=https://y/v1", "train.keep=9"})
    EXPECT_EQ(digest_with(operation), digest) << operation;
  for (const char* science : {"campaign.seed=9", "train.lr=0.5", "network.depth=2",
                              "teacher.alpha.model=y", "judge.expand=false"})
    EXPECT_NE(digest_with(science), digest) << science;
  // Rows and tournaments follow the order of teachers.
  const auto two = [](const char* a, const char* b) {
    return science_digest(parse_config(
        std::string("[[teacher]]\nname = \"") + a + "\"\n[[teacher]]\nname = \"" + b + "\"\n",
        "a.toml"));
  };
  EXPECT_NE(two("x", "y"), two("y", "x"));
}

TEST(Config, ChangesNameWhatDiffers) {
  const Config before = parse_config(kTeacher, "a.toml");
  Config after = before;
  after.train.lr = 0.5;
  after.teachers.clear();
  const auto list = changes(before, after);
  ASSERT_FALSE(list.empty());
  EXPECT_EQ(list[0].path, "train.lr");
  EXPECT_EQ(list[0].before, "2e-05");
  EXPECT_EQ(list[0].after, "0.5");
  EXPECT_EQ(list.back().path.substr(0, 14), "teacher.alpha.");
  EXPECT_EQ(list.back().after, "");
}

TEST(Config, ServicesAreRequiredToDraw) {
  const auto says = [](const std::string& toml) -> std::string {
    try {
      require_services(parse_config(toml, "a.toml"));
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "nothing";
  };
  const std::string teacher =
      std::string(kTeacher) + "base_url = \"https://x/v1\"\nmodel = \"m\"\n";
  const std::string vlm = "[vlm]\nbase_url = \"https://x/v1\"\nmodel = \"m\"\n";
  EXPECT_NE(says(vlm).find("there is no teacher"), std::string::npos);
  EXPECT_NE(says(std::string(kTeacher) + vlm).find("teacher.alpha.base_url is missing"),
            std::string::npos);
  EXPECT_NE(says(teacher).find("vlm.base_url is missing"), std::string::npos);
  EXPECT_EQ(says(teacher + vlm), "nothing");
}

TEST(Config, EncodersAndTheNetworkFitEachOther) {
  const auto says = [](const std::string& toml) -> std::string {
    try {
      const test::TempDir folder;
      static_cast<void>(NewCampaign(folder / "campaign", parse_config(toml, "a.toml")));
    } catch (const ConfigurationError& error) {
      return error.what();
    }
    return "nothing";
  };
  const auto expect = [&](const std::string& toml, const std::string& part) {
    EXPECT_NE(says(toml).find(part), std::string::npos) << says(toml);
  };
  const std::string multi = "[network]\nmulti_aspect = true\nwidth = 192\ninput_size = ";
  const std::string vae = "\n[vae]\nfolder = \"sd-vae\"\n";
  expect(multi + "64", "network.multi_aspect needs vae.folder");
  EXPECT_EQ(says(multi + "64" + vae), "nothing");
  EXPECT_EQ(says(multi + "128" + vae + "stride = 4\n"), "nothing");
  expect(multi + "96" + vae, "256, 512 and 1024 px, not 768 px");
  expect("[network]\ntext_encoder = \"t5\"\n", "needs text.folder");
  EXPECT_EQ(says("[network]\ntext_encoder = \"t5\"\n[text]\nfolder = \"t5\"\n"), "nothing");
  expect("[text]\nfolder = \"t5\"\n", "text.folder is given");
  expect("[text]\nclean = true\n", "text.clean and text.size_suffixes are for T5");
  expect("[text]\nsize_suffixes = true\n", "text.clean and text.size_suffixes are for T5");
  expect("[vae]\nsha256 = \"" + std::string(64, 'a') + "\"\n", "without vae.folder");
  expect(vae + "sha256 = \"abc\"\n", "vae.sha256 is not 64 lower-case hex characters");
  expect(vae + "tile = 250\n", "vae.tile = 250 is no multiple of 4 vae.stride = 32");
}

TEST(Config, MarkdownHasEveryKey) {
  const std::string text = config_markdown();
  Config config;
  for (const auto& field : fields_of(config))
    EXPECT_NE(text.find("| `" + field.path() + "` |"), std::string::npos) << field.path();
  EXPECT_NE(text.find("`teacher.NAME.price_usd`"), std::string::npos);
}

TEST(Config, EveryKeySaysWhatItIs) {
  Config config;
  teacher::ServiceOptions service;
  auto fields = fields_of(config);
  for (auto& field : fields_of(service, "teacher.NAME")) fields.push_back(std::move(field));
  for (const auto& field : fields) EXPECT_FALSE(field.info.help.empty()) << field.path();
}

}  // namespace
}  // namespace evd::run
