#include <algorithm>

#include "core/text.hpp"
#include "report_html.hpp"
#include "report_renders.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

constexpr std::size_t kHeldout = 12;
constexpr std::size_t kMembers = 8;
constexpr std::size_t kMostRounds = 8;
constexpr std::size_t kPromptChars = 240;

std::string shot(const std::string& img, const std::string& label, const char* more = "") {
  return "<div class=\"shot" + std::string(more) + "\">" + img + escape(label) + "</div>";
}

std::string tags(const shard::Sample& sample) {
  std::string out;
  const auto add = [&](const std::string& text) {
    out += "<span class=\"tag\">" + escape(text) + "</span>";
  };
  if (sample.category_human) add("human");
  if (sample.category_text) add("text");
  if (sample.category_multi) add("multi");
  if (sample.operation != shard::Operation::seed) add(std::string(name(sample.operation)));
  if (sample.times_judged > 0)
    add(format("target against base: %d won, %d tied, %d lost", sample.wins, sample.ties,
               sample.losses));
  return out;
}

std::string base_shots(const PromptPictures& its, const std::vector<int>& rounds,
                       PictureBook& pictures) {
  std::string out;
  for (const int round : rounds) {
    const auto found = its.base.find(round);
    const std::string label = round < 0 ? "start" : "round " + std::to_string(round);
    out += shot(found == its.base.end() ? PictureBook::none("not rendered in this round")
                                        : pictures.img(found->second, "base model, " + label),
                label);
  }
  return out;
}

std::string shots_row(const char* label, const std::string& shots) {
  return "<p class=\"row-label\">" + std::string(label) + "</p><div class=\"shots\">" + shots +
         "</div>";
}

std::string card(const shard::Sample& sample, const std::string& rows) {
  return "<li><p class=\"prompt\" dir=\"auto\">" + escape(shortened(sample.prompt, kPromptChars)) +
         "</p>" + tags(sample) + rows + "</li>\n";
}

std::string heldout_card(const Data& data, const shard::Sample& sample, const PromptPictures& its,
                         const std::vector<int>& rounds, PictureBook& pictures) {
  std::vector<std::string> names;
  for (const auto& teacher : data.config.teachers) names.push_back(teacher.name);
  // Imported pictures are of no teacher that the configuration names.
  for (const auto& [name, where] : its.teachers)
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  std::string teachers;
  for (const auto& name : names) {
    const auto found = its.teachers.find(name);
    teachers += shot(found == its.teachers.end() ? PictureBook::none("refused, failed or not asked")
                                                 : pictures.img(found->second, name),
                     name);
  }
  return card(sample, shots_row("teachers", teachers) +
                          shots_row("base model, by round", base_shots(its, rounds, pictures)));
}

// Only the rounds that rendered it: each one renders a share of the members.
std::string member_card(const shard::Sample& sample, const PromptPictures& its,
                        PictureBook& pictures) {
  std::vector<int> rounds;
  for (const auto& [round, where] : its.base)
    if (rounds.size() < kMostRounds) rounds.push_back(round);
  const std::string& teacher = sample.target_teacher.text;
  return card(sample,
              shots_row("target, then the base model",
                        shot(pictures.img({sample.target_shard, sample.target_row}, teacher),
                             teacher, " target") +
                            base_shots(its, rounds, pictures)));
}

/// Held-out prompts with pictures, a third from each category where there are enough; the id, a
/// hash, makes the choice arbitrary and the same every time.
std::vector<const shard::Sample*> pick_heldout(const Data& data, const Renders& renders) {
  std::vector<const shard::Sample*> candidates;
  for (const auto& sample : data.set)
    if (sample.split == shard::Split::heldout && renders.find(sample.id) != nullptr)
      candidates.push_back(&sample);
  std::sort(candidates.begin(), candidates.end(), [](auto* a, auto* b) { return a->id < b->id; });
  std::vector<const shard::Sample*> picked;
  const auto take = [&](std::size_t category, std::size_t most) {
    for (const auto* sample : candidates) {
      if (most == 0 || picked.size() == kHeldout) return;
      if (!in_category(*sample, category) ||
          std::find(picked.begin(), picked.end(), sample) != picked.end())
        continue;
      picked.push_back(sample);
      --most;
    }
  };
  for (const std::size_t category : {1, 2, 3}) take(category, kHeldout / 3);
  take(0, kHeldout);
  return picked;
}

/// Members (or learned ones) with a target that were rendered in most rounds.
std::vector<const shard::Sample*> pick_members(const Data& data, const Renders& renders) {
  std::vector<std::pair<std::size_t, const shard::Sample*>> candidates;
  for (const auto& sample : data.set) {
    if (sample.split != shard::Split::train || sample.target_row < 0) continue;
    const PromptPictures* its = renders.find(sample.id);
    if (its != nullptr) candidates.emplace_back(its->base.size(), &sample);
  }
  std::sort(candidates.begin(), candidates.end(), [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second->id < b.second->id;
  });
  std::vector<const shard::Sample*> picked;
  for (const auto& candidate : candidates)
    if (picked.size() < kMembers) picked.push_back(candidate.second);
  return picked;
}

}  // namespace

std::string gallery_section(Source& source, const Data& data, PictureBook& pictures) {
  const Renders renders(source);
  const auto rounds = renders.some_rounds(kMostRounds);
  std::string heldout;
  for (const auto* sample : pick_heldout(data, renders))
    heldout += heldout_card(data, *sample, *renders.find(sample->id), rounds, pictures);
  std::string members;
  for (const auto* sample : pick_members(data, renders))
    members += member_card(*sample, *renders.find(sample->id), pictures);
  std::string body;
  if (!heldout.empty())
    body +=
        "<h3>Held-out prompts</h3><p class=\"note\">Never trained on; the base model starts "
        "from the same noise in every round.</p><ul class=\"cards\">" +
        heldout + "</ul>\n";
  if (!members.empty())
    body +=
        "<h3>Members of the set</h3><p class=\"note\">The target "
        "is what the base model is trained towards. Each round renders a share of the members "
        "for the judge.</p><ul class=\"cards\">" +
        members + "</ul>\n";
  return body.empty() ? "" : section("gallery", "Gallery", "", body);
}

}  // namespace evd::report
