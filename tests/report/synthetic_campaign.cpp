#include "report/synthetic_campaign.hpp"

#include <algorithm>
#include <cmath>

#include "core/clock.hpp"
#include "core/text.hpp"
#include "shard/identity.hpp"
#include "shard/manifest.hpp"

namespace evd::report::test {
namespace {

using run::Stage;

const std::vector<std::string> kTeachers = {"aurora", "glyph", "quill", "weft"};
constexpr int kTeacherSide = 128;
constexpr int kBaseSide = 32;

run::Config configuration() {
  run::Config config;
  config.campaign.name = "synthetic & <small>";
  config.rehearsal.enabled = true;
  for (const auto& teacher : kTeachers) {
    teacher::ServiceOptions service;
    service.name = service.model = teacher;
    service.base_url = "rehearsal";
    config.teachers.push_back(service);
  }
  return config;
}

/// A disc on a plain ground, both from the sample's id, under noise of a strength in 0..1.
image::Rgb drawing(const SampleId& id, int side, double noise, Random& random) {
  const auto& seed = id.bytes();
  image::Rgb picture{side, side, {}};
  for (int y = 0; y < side; ++y)
    for (int x = 0; x < side; ++x) {
      const double dx = (x + 0.5) / side - 0.3 - seed[6] / 640.0;
      const double dy = (y + 0.5) / side - 0.3 - seed[7] / 640.0;
      const bool inside = dx * dx + dy * dy < 0.05;
      for (std::size_t c = 0; c < 3; ++c) {
        const double plain = inside ? seed[c] : 200 + seed[c + 3] / 5.0;
        const double level = plain + noise * (255 * random.uniform() - plain);
        picture.pixels.push_back(static_cast<std::uint8_t>(std::clamp(level, 0.0, 255.0)));
      }
    }
  return picture;
}

shard::Sample sample_of(const std::string& prompt, std::size_t kind) {
  shard::Sample sample;
  sample.prompt = sample.prompt_sent = prompt;
  sample.id = sample.root = shard::sample_id(prompt, kTeacherSide, kTeacherSide);
  sample.width = sample.height = kTeacherSide;
  sample.category_human = kind % 3 == 0;
  sample.category_text = kind % 3 == 1;
  sample.category_multi = kind % 3 == 2 || kind % 5 == 0;
  return sample;
}

double progress(int round) { return 1 - std::exp(-0.6 * (round + 1)); }  // 0 at the start weights

}  // namespace

SyntheticCampaign::SyntheticCampaign(const std::filesystem::path& root, const Shape& shape)
    : root_(root), campaign_(root, configuration()), imported_(shape.imported) {
  make_prompts();
  if (shape.evaluated) evaluate(run::kStartRound);
  if (shape.scored) score(run::kStartRound);
  for (int round = 0; round < shape.rounds; ++round) {
    harvest(round);
    judge(round);
    train(round);
    if (shape.evaluated) evaluate(round);
    if (shape.scored) score(round);
  }
  if (shape.scored) yardstick(shape.rounds);
}

shard::FileHeader SyntheticCampaign::header(const run::StageRef& ref) const {
  return {campaign_.id().hex(), ref.round, std::string(name(ref.stage)), "", ""};
}

std::filesystem::path SyntheticCampaign::directory(const run::StageRef& ref) const {
  const std::string round = ref.round < 0 ? "start" : format("rounds/%04d", ref.round);
  const auto path = root_ / round / name(ref.stage);
  std::filesystem::create_directories(path);
  return path;
}

void SyntheticCampaign::publish(const run::StageRef& ref, std::vector<shard::FileEntry> files,
                                std::int64_t done) const {
  shard::Manifest manifest;
  manifest.campaign = campaign_.id().hex();
  manifest.stage = name(ref.stage);
  manifest.round = ref.round;
  manifest.software = "test";
  manifest.created_ms = 1'700'000'000'000 + ref.round * 3'600'000;
  manifest.files = std::move(files);
  manifest.content = shard::content_of(manifest.files);
  manifest.counts = {done, 1, 0, 0};
  manifest.seconds["wall"] = 12.5 * (2 + ref.round);
  manifest.cost_microusd = ref.stage == Stage::harvest ? done * 40'000 : done * 100;
  manifest.ranks = 2;
  shard::publish_manifest(directory(ref), manifest);
}

void SyntheticCampaign::make_prompts() {
  std::vector<std::string> prompts = {kHostile, "مربع أزرق على يسار دائرة حمراء",
                                      "a red circle 🎈 above two 🐶🐶 dogs",
                                      std::string(1500, 'x') + " very long"};
  for (const char* color : {"red", "green", "blue", "yellow"})
    for (const char* shape : {"circle", "square", "triangle", "star"})
      for (const char* place : {"on the left", "in the middle", "at the top"})
        prompts.push_back(std::string("a ") + color + " " + shape + " " + place);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    const bool special = i < 4;
    set_.push_back(sample_of(prompts[i], special ? 0 : i));
    if (special || i % 3 == 1) {
      set_.back().split = shard::Split::heldout;
      set_.back().status = shard::Status::heldout;
    }
  }
  init_files_ = {shard::write_table<shard::Sample>(campaign_.prompts() / "set.h5",
                                                   header({Stage::init, 0}), set_)};
  campaign_.finish(init_files_, {}, 0.3);
}

shard::Image SyntheticCampaign::image_row(const shard::Sample& sample, const std::string& teacher,
                                          int round, const image::Rgb& picture) const {
  shard::Image row;
  row.prompt_id = sample.id;
  row.key = RequestKey(sha256(sample.id.hex() + teacher + std::to_string(round)).bytes());
  row.round = round;
  row.split = sample.split;
  row.origin = teacher == "base" ? shard::Origin::base : shard::Origin::teacher;
  row.teacher = row.model = {teacher};
  row.width = row.height = picture.width;
  row.mime = {"image/png"};
  row.bytes = image::encode_png(picture);
  row.sha256 = sha256(row.bytes);
  row.id = shard::image_id(row.key, row.sha256);
  return row;
}

void SyntheticCampaign::harvest(int round) {
  const run::StageRef self{Stage::harvest, round};
  std::vector<shard::Image> rows;
  std::vector<shard::Call> calls;
  for (auto& sample : set_) {
    const bool heldout = sample.status == shard::Status::heldout && round == 0;
    if (!heldout && sample.status != shard::Status::waiting) continue;
    for (std::size_t t = 0; t < kTeachers.size(); ++t) {
      const auto picture = drawing(sample.id, kTeacherSide, 0.03 * static_cast<double>(t), random_);
      rows.push_back(image_row(sample, kTeachers[t], round, picture));
      if (heldout && t == 3 && sample.id.low64() % 5 == 0) {  // a refusal
        rows.back().outcome = shard::Outcome::refused;
        rows.back().bytes.clear();
      }
      calls.push_back({.key = rows.back().key,
                       .service = {kTeachers[t]},
                       .stage = {"harvest"},
                       .round = round,
                       .status = 200,
                       .outcome = shard::Outcome::ok,
                       .cost_microusd = 40'000});
    }
    if (heldout && imported_)
      rows.push_back(
          image_row(sample, "imported", round, drawing(sample.id, kTeacherSide, 0, random_)));
    if (heldout) continue;
    // What the judge will decide: any teacher, the first one most often.
    const auto best = std::min<std::uint64_t>(random_.below(6), kTeachers.size() - 1);
    sample.status = shard::Status::member;
    sample.target_teacher = {kTeachers[best]};
    sample.teachers_drawn = {join(kTeachers, "+")};
    sample.target_row =
        static_cast<std::int32_t>(rows.size() - kTeachers.size() + static_cast<std::size_t>(best));
    sample.target_image = rows[static_cast<std::size_t>(sample.target_row)].id;
  }
  const auto entry =
      shard::write_table<shard::Image>(directory(self) / "images-00000.h5", header(self), rows);
  for (auto& sample : set_)
    if (sample.status == shard::Status::member && sample.target_shard.is_none())
      sample.target_shard = entry.sha256;
  publish(
      self,
      {entry, shard::write_table<shard::Call>(directory(self) / "calls.h5", header(self), calls)},
      static_cast<std::int64_t>(rows.size()));
}

void SyntheticCampaign::discriminate(int round, std::vector<shard::Pair>& pairs) {
  for (auto& sample : set_) {
    if (sample.status != shard::Status::member || sample.round_added == round ||
        random_.uniform() > 0.4)
      continue;
    shard::Pair pair;
    pair.question = shard::Question::discriminate;
    pair.sample = sample.id;
    pair.teacher_a = sample.target_teacher;
    pair.teacher_b = {"base"};
    pair.bias = 0.3F;
    const bool learned = random_.uniform() < 0.25 + 0.1 * round;
    pair.p_ab = learned ? 0.2F : 0.8F;
    pair.p_ba = learned ? 0.8F : 0.3F;
    pair.verdict = learned ? shard::Verdict::b : shard::Verdict::a;
    pair.id = PairId(truncated<PairId>(sha256(sample.id.hex() + std::to_string(round))));
    pair.round = round;
    pairs.push_back(pair);
    ++sample.times_judged;
    ++(learned ? sample.losses : sample.wins);
    if (learned) {
      sample.status = shard::Status::removed;
      sample.removed_why = shard::Removal::learned;
      sample.round_removed = round;
    }
  }
}

void SyntheticCampaign::expand(int round) {
  std::vector<shard::Sample> fresh;
  for (const auto& sample : set_) {
    if (sample.times_judged == 0 || random_.uniform() > 0.6) continue;
    const bool mutates = sample.status == shard::Status::removed;
    for (int i = 0; i < (mutates ? 1 : 3); ++i) {
      auto child = sample_of(
          sample.prompt.substr(0, 60) + " and a " + std::to_string(round * 10 + i) + "th thing",
          static_cast<std::size_t>(i));
      child.parent = sample.id;
      child.root = sample.root;
      child.generation = sample.generation + 1;
      child.round_added = round;
      child.operation = mutates ? shard::Operation::mutate : shard::Operation::expand;
      fresh.push_back(child);
    }
  }
  for (auto& child : fresh)
    if (std::none_of(set_.begin(), set_.end(), [&](auto& known) { return known.id == child.id; }))
      set_.push_back(std::move(child));
}

void SyntheticCampaign::judge(int round) {
  const run::StageRef self{Stage::judge, round};
  std::vector<shard::Pair> pairs;
  std::vector<shard::Answer> answers;
  for (const auto& sample : set_) {
    if (sample.status != shard::Status::member || sample.round_added != std::max(0, round - 1))
      continue;
    shard::Pair pair;
    pair.id = PairId(truncated<PairId>(sha256(sample.id.hex() + "select")));
    pair.round = round;
    pair.sample = sample.id;
    pair.teacher_a = {kTeachers[0]};
    pair.teacher_b = {kTeachers[1]};
    pair.p_ab = 0.7F;
    pair.p_ba = 0.4F;
    pair.bias = static_cast<float>(0.4 * random_.normal() + 0.2);
    pair.verdict = shard::Verdict::a;
    pairs.push_back(pair);
    answers.push_back({.round = round, .sample = sample.id, .choice = shard::Choice::first});
  }
  answers.push_back({.round = round, .choice = shard::Choice::unparsed});
  if (round > 0) {
    discriminate(round, pairs);
    expand(round);
  }
  publish(self,
          {shard::write_table<shard::Sample>(directory(self) / "set.h5", header(self), set_),
           shard::write_table<shard::Pair>(directory(self) / "pairs.h5", header(self), pairs),
           shard::write_table<shard::Answer>(directory(self) / "answers.h5", header(self), answers),
           shard::write_table<shard::Metric>(directory(self) / "metrics.h5", header(self),
                                             rates(round))},
          static_cast<std::int64_t>(pairs.size()));
}

std::vector<shard::Metric> SyntheticCampaign::rates(int round) {
  std::vector<shard::Metric> rows;
  for (const char* category : {"all", "human", "text", "multi"})
    for (std::size_t t = 0; t < kTeachers.size(); ++t) {
      const double share = 0.1 + 0.15 * static_cast<double>(t) + 0.05 * random_.uniform();
      rows.push_back({round,
                      {"judge"},
                      {"won_tournament"},
                      {category},
                      {kTeachers[t]},
                      share,
                      share - 0.08,
                      share + 0.1,
                      40});
      rows.push_back({round,
                      {"judge"},
                      {"beat_base"},
                      {category},
                      {kTeachers[t]},
                      0.7 * share,
                      0.7 * share - 0.08,
                      0.7 * share + 0.1,
                      40});
    }
  const double bias = 0.2 + 0.1 * random_.uniform();
  rows.push_back(
      {round, {"judge"}, {"position_bias"}, {"all"}, {""}, bias, bias - 0.1, bias + 0.1, 40});
  return rows;
}

void SyntheticCampaign::train(int round) {
  const run::StageRef self{Stage::train, round};
  constexpr int kSteps = 300;
  std::vector<shard::Step> steps;
  for (int i = 0; i < kSteps; ++i) {
    shard::Step step;
    step.step = round * kSteps + i;
    step.round = round;
    step.loss = static_cast<float>(0.2 + 0.8 * std::exp(-static_cast<double>(step.step) / 200) +
                                   0.05 * random_.normal());
    step.gradient_norm = static_cast<float>(0.5 + 0.2 * random_.uniform());
    steps.push_back(step);
  }
  steps[5].loss = std::nanf("");
  steps[5].skipped = true;
  publish(self,
          {shard::write_table<shard::Step>(directory(self) / "steps.h5", header(self), steps)},
          kSteps);
}

void SyntheticCampaign::evaluate(int round) {
  const run::StageRef self{Stage::evaluate, round};
  std::vector<shard::Image> rows;
  for (const auto& sample : set_) {
    const bool heldout = sample.status == shard::Status::heldout;
    const bool member = sample.status == shard::Status::member && sample.id.low64() % 2 == 0;
    if (heldout || (member && round >= 0))
      rows.push_back(image_row(sample, "base", round,
                               drawing(sample.id, kBaseSide, 1 - progress(round), random_)));
  }
  publish(
      self,
      {shard::write_table<shard::Image>(directory(self) / "renders-00000.h5", header(self), rows)},
      static_cast<std::int64_t>(rows.size()));
}

void SyntheticCampaign::score(int round) {
  const run::StageRef self{Stage::score, round};
  std::vector<shard::Metric> rows;
  for (const char* category : {"all", "human", "text", "multi"}) {
    const double value = 0.1 + 0.6 * progress(round);
    rows.push_back(
        {round, {"score"}, {"alignment_teacher"}, {category}, {"weft"}, 0.9, 0.8, 0.95, 20});
    rows.push_back(
        {round, {"score"}, {"alignment"}, {category}, {""}, value, value - 0.06, value + 0.06, 20});
    for (std::size_t t = 0; t < kTeachers.size(); ++t) {
      const double share = (0.05 + 0.4 * progress(round)) * (1 + 0.2 * static_cast<double>(t));
      rows.push_back({round,
                      {"score"},
                      {"win_share"},
                      {category},
                      {kTeachers[t]},
                      share,
                      share - 0.05,
                      share + 0.07,
                      20});
    }
  }
  publish(self,
          {shard::write_table<shard::Metric>(directory(self) / "metrics.h5", header(self), rows)},
          20);
}

void SyntheticCampaign::yardstick(int rounds) {
  std::vector<shard::Metric> rows;
  for (int round = run::kStartRound; round < rounds; ++round)
    for (const char* category : {"all", "human", "text", "multi"}) {
      const double value = 0.05 + 0.7 * progress(round) * (category[0] == 't' ? 0.6 : 1.0);
      rows.push_back({round,
                      {"yardstick"},
                      {"alignment"},
                      {category},
                      {""},
                      value,
                      value - 0.04,
                      value + 0.04,
                      17});
    }
  std::filesystem::create_directories(root_ / "metrics");
  static_cast<void>(shard::write_table<shard::Metric>(
      root_ / "metrics" / "yardstick.h5", {campaign_.id().hex(), 0, "yardstick", "", ""}, rows));
}

}  // namespace evd::report::test
