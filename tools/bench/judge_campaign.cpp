// Makes a campaign whose second judging is all asked and not yet decided, for
// tools/bench/judge_set: as many samples as were told, four in five of them members, the others
// waiting with a picture of each of four teachers, a fifth of the members rendered; every answer
// stands in a journal. There are image rows and no pictures, so no GB of them.
//   judge_campaign DIR SAMPLES
#include <algorithm>
#include <cmath>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "core/error.hpp"
#include "core/random.hpp"
#include "core/text.hpp"
#include "fs/file.hpp"
#include "judge/answer_book.hpp"
#include "judge/decide.hpp"
#include "run/admission.hpp"
#include "run/create.hpp"
#include "run/staleness.hpp"
#include "shard/category.hpp"
#include "shard/identity.hpp"
#include "shard/manifest.hpp"
#include "shard/table.hpp"
#include "teacher/journal_writer.hpp"
#include "teacher/segment.hpp"

namespace {

using namespace evd;
using run::Stage;
using run::StageRef;
using shard::Image;
using shard::Sample;
using shard::Status;

const std::vector<std::string> kTeachers = {"aurora", "drift", "glyph", "meadow"};
constexpr int kSide = 512;
constexpr std::size_t kRowsPerFile = 100'000;
constexpr std::int64_t kHeldout = 200;

run::Config config_of(std::int64_t samples) {
  run::Config config;
  config.rehearsal.enabled = true;
  for (const auto& name : kTeachers) {
    teacher::ServiceOptions service;
    service.name = service.model = name;
    service.base_url = "rehearsal";
    service.price_usd = 0.04;
    config.teachers.push_back(service);
  }
  config.vlm.model = "judge";
  config.vlm.base_url = "rehearsal";
  config.vlm.price_usd = 0.001;
  config.budget.usd = 1e6;
  config.cap.max_samples = static_cast<int>(samples);
  return config;
}

Sample sample_of(std::int64_t number) {
  static const std::vector<std::string> kSubjects = {
      "brass telescope", "young chef", "red fox", "mountain village", "poster with the word OPEN"};
  Random random(1, Purpose::test, static_cast<std::uint64_t>(number));
  Sample sample;
  sample.prompt = sample.prompt_sent = "a " + kSubjects[random.below(kSubjects.size())] +
                                       " beside " + std::to_string(2 + random.below(7)) +
                                       " old lanterns under a stormy sky, painted in oil, view " +
                                       std::to_string(number);
  sample.width = sample.height = kSide;
  sample.id = sample.root = shard::sample_id(sample.prompt, kSide, kSide);
  const auto categories = shard::categorize(sample.prompt);
  sample.category_human = categories.human;
  sample.category_text = categories.text;
  sample.category_multi = categories.multi;
  return sample;
}

Image row_of(const Sample& sample, const std::string& teacher, int round) {
  Image row;
  row.prompt_id = sample.id;
  row.key = RequestKey(sha256(sample.id.hex() + teacher + std::to_string(round)).bytes());
  row.round = round;
  row.split = sample.split;
  row.teacher = row.model = row.model_echo = {teacher};
  row.sha256 = sha256("picture " + row.key.hex());
  row.id = shard::image_id(row.key, row.sha256);
  row.requested_width = row.requested_height = row.width = row.height = kSide;
  row.mime = {"image/png"};
  row.request_id = "req-" + row.key.hex().substr(0, 24);
  row.cost_microusd = 40'000;
  row.attempts = 1;
  return row;
}

judge::Picture picture_of(const Image& row, const shard::ImageLocation& where) {
  const auto order = std::find(kTeachers.begin(), kTeachers.end(), row.teacher.text);
  return {.id = row.id,
          .prompt = row.prompt_id,
          .split = row.split,
          .outcome = row.outcome,
          .teacher = row.teacher.text,
          .teacher_order = static_cast<int>(order - kTeachers.begin()),
          .width = row.width,
          .height = row.height,
          .cost_microusd = row.cost_microusd,
          .sha256 = row.sha256,
          .checkpoint = row.checkpoint,
          .where = where};
}

// Answers every question from the pictures' digests; remembers them all.
class Vlm {
 public:
  struct Said {
    shard::Answer answer;
    teacher::Reply reply;
  };
  explicit Vlm(const judge::Rules& rules) : rules_(rules) {}

  const shard::Answer* answer(const judge::Ask& ask) {
    auto& said = said_[ask.key];
    if (said.reply.key.is_none()) {
      said.reply = {.key = ask.key,
                    .outcome = shard::Outcome::ok,
                    .status = 200,
                    .request_id = "chat-" + ask.key.hex().substr(0, 24),
                    .cost_microusd = 1000};
      const std::string text = words(ask);
      const Bytes bytes = as_bytes(text);
      said.reply.payload.assign(bytes.begin(), bytes.end());
      said.answer = judge::answer_row(ask, said.reply, rules_);
    }
    return &said.answer;
  }
  [[nodiscard]] const std::unordered_map<RequestKey, Said>& said() const { return said_; }

 private:
  static double quality(const judge::Picture& picture) {
    const double base = picture.teacher_order == static_cast<int>(kTeachers.size()) ? -0.5 : 0;
    return base + 4.0 * static_cast<double>(picture.sha256.low64() % 1000) / 1000;
  }
  static std::string words(const judge::Ask& ask) {
    const std::string tail = ask.key.hex().substr(0, 12);
    if (ask.question.kind == vlm::Template::variations)
      return R"({"descriptions":["a clock tower at noon )" + tail +
             R"(","two grey owls on a roof )" + tail + R"(","a child with a kite )" + tail +
             R"("]})";
    if (ask.question.kind == vlm::Template::mutation)
      return R"({"description":"a glass bridge over a quiet river )" + tail + R"("})";
    const double logit = quality(*ask.first) - quality(*ask.second) + 0.2;
    return format(R"({"winner":"%s","confidence":%.0f})", logit > 0 ? "A" : "B",
                  100 / (1 + std::exp(-std::abs(logit))));
  }

  const judge::Rules& rules_;
  std::unordered_map<RequestKey, Said> said_;
};

class Maker {
 public:
  Maker(std::filesystem::path root, std::int64_t samples)
      : root_(std::move(root)), config_(config_of(samples)) {
    const run::NewCampaign fresh(root_, config_);
    for (std::int64_t i = 0; i < samples + kHeldout; ++i) {
      state_.set.push_back(sample_of(i));
      if (i < samples) continue;
      state_.set.back().split = shard::Split::heldout;
      state_.set.back().status = Status::heldout;
    }
    fresh.finish({shard::write_table<Sample>(fresh.prompts() / "set.h5", fresh.header(),
                                             std::vector(state_.set))},
                 {}, 0);
    members_ = static_cast<std::size_t>(samples - samples / 5);
  }

  void run() {
    publish({Stage::harvest, 0}, drawn(0, members_, 0));
    for (std::size_t i = members_; i < state_.set.size(); ++i)
      if (auto& sample = state_.set[i]; sample.status == Status::waiting) {
        const auto& parent = state_.set[i - members_];
        sample.operation = shard::Operation::expand;
        sample.parent = sample.root = parent.id;
        sample.generation = 1;
      }
    publish({Stage::judge, 0}, {table<Sample>({Stage::judge, 0}, "set.h5", state_.set)});
    publish({Stage::train, 0}, {}, {{"images", 64'000}});
    publish({Stage::evaluate, 0}, {rendered()});
    publish({Stage::harvest, 1}, drawn(members_, state_.set.size(), 1));
    answer();
  }

 private:
  template <class Row>
  shard::FileEntry table(const StageRef& ref, const std::string& name,
                         const std::vector<Row>& rows) {
    const run::Campaign campaign(root_);
    fs::make_directory(campaign.directory(ref));
    return shard::write_table<Row>(
        campaign.directory(ref) / name,
        {.campaign = campaign.id().hex(), .round = ref.round, .stage = std::string(name_of(ref))},
        rows);
  }
  static std::string_view name_of(const StageRef& ref) { return evd::name(ref.stage); }

  void publish(const StageRef& ref, const std::vector<shard::FileEntry>& files,
               const std::map<std::string, std::int64_t>& tallies = {}) const {
    const run::Campaign campaign(root_);
    fs::make_directory(campaign.directory(ref));
    run::Standings standings(campaign);
    shard::Manifest manifest;
    manifest.campaign = campaign.id().hex();
    manifest.stage = std::string(name_of(ref));
    manifest.round = ref.round;
    manifest.files = files;
    manifest.tallies = tallies;
    manifest.inputs = run::current_inputs(standings, ref, root_);
    manifest.content = shard::content_of(files);
    manifest.science = run::science_digest(config_);
    manifest.config_toml = run::to_toml(config_);
    shard::publish_manifest(campaign.directory(ref), manifest);
  }

  // Pictures of the samples first..last by all teachers; in round 0 one of them becomes the target.
  std::vector<shard::FileEntry> drawn(std::size_t first, std::size_t last, int round) {
    std::vector<shard::FileEntry> files;
    const std::size_t step = kRowsPerFile / kTeachers.size();
    for (std::size_t begin = first; begin < last; begin += step) {
      const std::size_t end = std::min(last, begin + step);
      std::vector<Image> rows;
      for (std::size_t i = begin; i < end; ++i)
        if (state_.set[i].status == Status::waiting)
          for (const auto& teacher : kTeachers)
            rows.push_back(row_of(state_.set[i], teacher, round));
      files.push_back(
          table({Stage::harvest, round}, format("images-%05zu.h5", files.size()), rows));
      if (round == 0) set_targets(rows, begin, files.back().sha256);
      for (std::size_t i = 0; round > 0 && i < rows.size(); ++i)
        state_.drawn.push_back(
            picture_of(rows[i], {files.back().sha256, static_cast<std::int32_t>(i)}));
    }
    return files;
  }

  void set_targets(const std::vector<Image>& rows, std::size_t first, const Sha256& shard) {
    const std::size_t teachers = kTeachers.size();
    for (std::size_t i = 0; i < rows.size() / teachers; ++i) {
      auto& sample = state_.set[first + i];
      const std::size_t row = teachers * i + sample.id.low64() % teachers;
      sample.status = Status::member;
      sample.target_teacher = rows[row].teacher;
      sample.target_image = rows[row].id;
      sample.target_shard = shard;
      sample.target_row = static_cast<std::int32_t>(row);
      sample.teachers_drawn = {join(kTeachers, "+")};
      sample.cost_microusd = 160'000;
      if (i % 5 == 0) state_.targets[sample.id] = picture_of(rows[row], {shard, sample.target_row});
    }
  }

  shard::FileEntry rendered() {
    std::vector<Image> rows;
    for (const auto& sample : state_.set) {
      if (!state_.targets.contains(sample.id)) continue;
      auto row = row_of(sample, "base", 0);
      row.origin = shard::Origin::base;
      row.checkpoint = sha256("weights of round 0");
      row.cost_microusd = 0;
      rows.push_back(row);
    }
    const auto entry = table({Stage::evaluate, 0}, "renders-00000.h5", rows);
    for (std::size_t i = 0; i < rows.size(); ++i)
      state_.renders.push_back(picture_of(rows[i], {entry.sha256, static_cast<std::int32_t>(i)}));
    return entry;
  }

  // Asks what judge(1) will ask, and writes its journal.
  void answer() {
    judge::sort_state(state_);
    const judge::Rules rules = judge::rules_of(config_, 1);
    const judge::Plan plan = judge::make_plan(state_, rules);
    Vlm vlm(rules);
    const judge::Lookup lookup = [&](const judge::Ask& ask) { return vlm.answer(ask); };
    static_cast<void>(judge::decide(state_, rules, plan, lookup));
    teacher::JournalWriter journal(root_ / "calls", "first-0-1", 0, [] {});
    std::uint64_t last = 0;
    for (const auto& [key, said] : vlm.said()) {
      journal.append("vlm", encode(teacher::Intent{.key = key,
                                                   .service = "vlm",
                                                   .stage = "judge",
                                                   .round = 1,
                                                   .job = "first-0-1",
                                                   .budget_line = "main",
                                                   .max_cost_microusd = 1000,
                                                   .started_ms = 1}));
      last = journal.append("vlm", encode(teacher::End{.key = key,
                                                       .attempt = 0,
                                                       .status = 200,
                                                       .outcome = shard::Outcome::ok,
                                                       .charge = teacher::Charge::paid,
                                                       .cost_microusd = 1000,
                                                       .finished_ms = 2},
                                          said.reply));
    }
    auto progress = journal.progress();
    for (; progress.through < last && !progress.broken; progress = journal.progress()) {
      std::this_thread::yield();
    }
    if (!progress.trouble.empty()) throw IoError(progress.trouble);
    std::cout << vlm.said().size() << "\n";
  }

  std::filesystem::path root_;
  run::Config config_;
  judge::State state_;
  std::size_t members_ = 0;
};

}  // namespace

int main(int argc, char** argv) try {
  if (argc != 3) {
    std::cerr << "usage: judge_campaign DIR SAMPLES\n";
    return 64;
  }
  Maker(argv[1], std::stoll(argv[2])).run();
  return 0;
} catch (const std::exception& error) {
  std::cerr << "judge_campaign: " << error.what() << "\n";
  return 70;
}
