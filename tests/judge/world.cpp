#include "judge/world.hpp"

#include <cmath>

#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "core/random.hpp"
#include "core/text.hpp"
#include "shard/identity.hpp"

namespace evd::judge::test {

using shard::Outcome;
using shard::Status;

Picture picture(const SampleId& prompt, const std::string& teacher, int order,
                const std::string& content) {
  Picture made{.prompt = prompt,
               .teacher = teacher,
               .teacher_order = order,
               .width = 32,
               .height = 32,
               .cost_microusd = 1000,
               .sha256 = sha256(content)};
  made.id = shard::image_id(RequestKey(sha256(prompt.hex() + teacher).bytes()), made.sha256);
  made.where = {sha256("file of " + teacher), order};
  return made;
}

shard::Sample sample(const std::string& prompt, Status status) {
  shard::Sample made{.id = shard::sample_id(prompt, 32, 32),
                     .status = status,
                     .prompt = prompt,
                     .prompt_sent = prompt,
                     .width = 32,
                     .height = 32};
  made.root = made.id;
  if (status == Status::heldout) made.split = shard::Split::heldout;
  return made;
}

double quality(const Sha256& content) {
  return 6.0 * static_cast<double>(content.low64() % 10007) / 10007.0 - 3.0;
}

const shard::Answer* FakeVlm::answer(const Ask& ask) {
  if (const auto known = answers.find(ask.key); known != answers.end()) return &known->second;
  asked.push_back(ask.purpose);
  shard::Answer made{.key = ask.key,
                     .question = ask.purpose,
                     .sample = ask.sample->id,
                     .first = ask.first != nullptr ? ask.first->id : ImageId{},
                     .second = ask.second != nullptr ? ask.second->id : ImageId{},
                     .attempt = ask.attempt,
                     .cost_microusd = 10};
  const bool is_verdict = ask.question.kind == vlm::Template::verdict;
  Random random(11, Purpose::test, ask.key.low64());
  if (instead && instead(ask, made)) {
    if (made.outcome == Outcome::open) return nullptr;
  } else if (random.uniform() < unreadable) {
    made.text = "Lorem ipsum, {";
  } else if (is_verdict) {
    const double logit = quality(ask.first->sha256) - quality(ask.second->sha256) + bias;
    made.p_first = static_cast<float>(1 / (1 + std::exp(-logit)));
    made.choice = made.p_first > 0.5F ? shard::Choice::first : shard::Choice::second;
  } else if (ask.question.kind == vlm::Template::alignment) {
    made.text = format("{\"score\":%.0f}", 50 + 16 * quality(ask.first->sha256));
  } else if (ask.question.kind == vlm::Template::mutation) {
    made.text = "{\"description\":\"mutant " + tag + ask.key.hex().substr(0, 10) + "\"}";
  } else {
    nlohmann::json list = nlohmann::json::array();
    for (int i = 0; i < 16; ++i)
      list.push_back("child " + tag + std::to_string(i) + " of " + ask.key.hex().substr(0, 10));
    made.text = nlohmann::json{{"descriptions", list}}.dump();
  }
  return &(answers[ask.key] = made);
}

State world(std::uint64_t seed, const Size& size) {
  State state;
  Random random(seed, Purpose::test);
  const auto word = [&] { return std::to_string(random.below(1'000'000'000)); };
  for (int i = 0; i < size.members; ++i) {
    auto member = sample("member " + word(), Status::member);
    const auto target = picture(member.id, "t0", 0, "target " + member.prompt);
    member.target_teacher = {"t0"};
    member.target_image = target.id;
    member.target_shard = target.where.shard;
    member.target_row = target.where.row;
    member.teachers_drawn = {"t0+t1"};
    if (random.uniform() < size.render_share) {
      auto render = picture(member.id, "base", 99, "render " + member.prompt);
      render.checkpoint = sha256("weights");
      state.renders.push_back(render);
      state.targets[member.id] = target;
    }
    state.set.push_back(member);
  }
  for (int i = 0; i < size.waiting; ++i) {
    const auto waiting = sample("waiting " + word(), Status::waiting);
    state.set.push_back(waiting);
    if (random.below(10) == 0) continue;  // not drawn at all
    for (int t = 0; t < size.teachers; ++t) {
      const std::string teacher = "t" + std::to_string(t);
      auto drawn = picture(waiting.id, teacher, t, teacher + " for " + waiting.prompt);
      const auto luck = random.below(10);
      if (luck == 0) drawn.outcome = Outcome::refused;
      if (luck == 1) drawn.outcome = Outcome::failed;
      if (luck == 2) drawn.outcome = Outcome::open;
      state.drawn.push_back(drawn);
    }
  }
  for (int i = 0; i < size.heldout; ++i)
    state.set.push_back(sample("heldout " + word(), Status::heldout));
  sort_state(state);
  return state;
}

Rules rules(int teachers) {
  Rules made{.seed = 5, .round = 3, .model = "judge"};
  for (int t = 0; t < teachers; ++t) made.teachers.push_back("t" + std::to_string(t));
  return made;
}

Decision decided(const State& state, const Rules& rules, FakeVlm& vlm) {
  const Plan plan = make_plan(state, rules);
  return decide(state, rules, plan, vlm.lookup());
}

std::int64_t count(const Decision& decision, Status status) {
  return std::count_if(decision.set.begin(), decision.set.end(),
                       [&](const auto& sample) { return sample.status == status; });
}

const shard::Sample& row(const Decision& decision, const SampleId& id) {
  for (const auto& sample : decision.set)
    if (sample.id == id) return sample;
  ADD_FAILURE() << "the set has lost sample " << id.hex();
  return decision.set.front();
}

}  // namespace evd::judge::test
