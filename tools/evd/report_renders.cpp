#include "report_renders.hpp"

#include <algorithm>

namespace evd::report {
namespace {

template <class Visit>
void for_each_image(Source& source, const StageResult& result, Visit visit) {
  for (const auto& file : result.manifest.files) {
    if (file.table != shard::table_name<shard::Image>()) continue;
    try {
      std::int32_t row = 0;
      for (const auto& image : source.catalog().images(file.sha256)) {
        const shard::ImageLocation where{file.sha256, row++};
        if (image.outcome == shard::Outcome::ok) visit(image, where);
      }
    } catch (const Error& error) {
      source.note_problem(error.what());
    }
  }
}

}  // namespace

Renders::Renders(Source& source) {
  for (const StageResult& result : source.stages()) {
    if (result.ref.stage == run::Stage::harvest)
      for_each_image(source, result, [&](const shard::Image& image, shard::ImageLocation where) {
        if (image.split == shard::Split::heldout)
          pictures_[image.prompt_id].teachers.emplace(image.teacher.text, where);
      });
    if (result.ref.stage != run::Stage::evaluate) continue;
    rounds_.push_back(result.ref.round);
    for_each_image(source, result, [&](const shard::Image& image, shard::ImageLocation where) {
      pictures_[image.prompt_id].base.emplace(result.ref.round, where);
    });
  }
}

const PromptPictures* Renders::find(const SampleId& id) const {
  const auto found = pictures_.find(id);
  return found == pictures_.end() ? nullptr : &found->second;
}

std::vector<int> Renders::some_rounds(std::size_t count) const {
  if (rounds_.size() <= count) return rounds_;
  std::vector<int> some;
  for (std::size_t i = 0; i < count; ++i)
    some.push_back(rounds_[i * (rounds_.size() - 1) / (count - 1)]);
  return some;
}

}  // namespace evd::report
