#include <algorithm>
#include <unordered_map>

#include "core/text.hpp"
#include "report_html.hpp"
#include "report_sections.hpp"

namespace evd::report {
namespace {

constexpr std::size_t kFamilies = 4;
constexpr std::size_t kMostChildren = 3;
constexpr std::size_t kMostNodes = 14;
constexpr std::size_t kPromptChars = 160;

/// Samples by parent, and what hangs below each.
class Families {
 public:
  explicit Families(const Data& data) {
    for (const auto& sample : data.set) by_id_.emplace(sample.id, &sample);
    for (const auto& sample : data.set)
      if (!sample.parent.is_none() && by_id_.contains(sample.parent) &&
          sample.generation > by_id_[sample.parent]->generation)  // a damaged file has no cycles
        children_[sample.parent].push_back(&sample);
    for (auto& [parent, children] : children_)
      std::sort(children.begin(), children.end(), [&](const auto* a, const auto* b) {
        const int left = depth(*a);
        const int right = depth(*b);
        return left != right ? left > right : a->id < b->id;
      });
  }

  [[nodiscard]] const std::vector<const shard::Sample*>& children(const SampleId& id) const {
    static const std::vector<const shard::Sample*> kNone;
    const auto found = children_.find(id);
    return found == children_.end() ? kNone : found->second;
  }
  /// Generations below a sample.
  [[nodiscard]] int depth(const shard::Sample& sample) const {
    int deepest = 0;
    for (const auto* child : children(sample.id)) deepest = std::max(deepest, 1 + depth(*child));
    return deepest;
  }
  /// Start prompts with the deepest, then the largest families.
  [[nodiscard]] std::vector<const shard::Sample*> roots() const {
    std::vector<const shard::Sample*> found;
    for (const auto& [parent, children] : children_)
      if (const auto* sample = by_id_.at(parent); sample->parent.is_none()) found.push_back(sample);
    std::sort(found.begin(), found.end(), [&](const auto* a, const auto* b) {
      const int left = depth(*a);
      const int right = depth(*b);
      return left != right ? left > right : a->id < b->id;
    });
    if (found.size() > kFamilies) found.resize(kFamilies);
    return found;
  }

 private:
  std::unordered_map<SampleId, const shard::Sample*> by_id_;
  std::unordered_map<SampleId, std::vector<const shard::Sample*>> children_;
};

std::string fate(const shard::Sample& sample) {
  std::string out = std::string(name(sample.status));
  if (sample.round_removed >= 0)
    out += " in round " + std::to_string(sample.round_removed) + " (" +
           std::string(name(sample.removed_why)) + ")";
  return out;
}

std::string node(const shard::Sample& sample, PictureBook& pictures) {
  std::string tags = "<span class=\"tag\">" + std::string(name(sample.operation)) + ", round " +
                     std::to_string(sample.round_added) + "</span><span class=\"tag\">" +
                     fate(sample) + "</span>";
  if (!sample.target_teacher.text.empty())
    tags += "<span class=\"tag\">" + escape(sample.target_teacher.text) + "</span>";
  return "<div class=\"node\">" +
         pictures.img({sample.target_shard, sample.target_row}, sample.target_teacher.text) +
         "<div><p class=\"prompt\" dir=\"auto\">" + escape(shortened(sample.prompt, kPromptChars)) +
         "</p>" + tags + "</div></div>";
}

// `left` counts down over the whole family.
std::string tree(const shard::Sample& sample, const Families& families, PictureBook& pictures,
                 std::size_t& left) {
  --left;
  std::string out = "<li>" + node(sample, pictures);
  const auto& children = families.children(sample.id);
  std::string below;
  std::size_t shown = 0;
  while (shown < std::min(children.size(), kMostChildren) && left > 0)
    below += tree(*children[shown++], families, pictures, left);
  if (shown < children.size())
    below += "<li class=\"note\">and " +
             grouped(static_cast<std::int64_t>(children.size() - shown)) + " more</li>";
  if (!below.empty()) out += "<ul>" + below + "</ul>";
  return out + "</li>\n";
}

}  // namespace

std::string lineage_section(const Data& data, PictureBook& pictures) {
  const Families families(data);
  std::string body;
  for (const auto* root : families.roots()) {
    std::size_t left = kMostNodes;
    body += tree(*root, families, pictures, left);
  }
  if (body.empty()) return "";
  return section("lineage", "Lineage",
                 "Start prompts and what grew from them: expansions where the teacher was better, "
                 "mutations of prompts that left. Pictures are the training targets.",
                 "<ul class=\"tree\">" + body + "</ul>\n");
}

}  // namespace evd::report
