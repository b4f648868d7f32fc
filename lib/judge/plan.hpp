#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "judge/picture.hpp"
#include "judge/rules.hpp"
#include "shard/rows.hpp"
#include "vlm/prompts.hpp"

namespace evd::judge {

/// What a round's decisions start from; plain data.
struct State {
  std::vector<shard::Sample> set;  ///< previous set, every sample ever, by id
  std::vector<Picture> drawn;      ///< harvest's pictures of train prompts, by (prompt, teacher,
                                   ///< sample_index); refused, failed and open ones too
  std::vector<Picture> renders;    ///< base model's pictures of members, by prompt
  std::unordered_map<SampleId, Picture> targets;  ///< target pictures of the rendered members
  /// Target that each render was made against; nothing = those in `set`.
  std::optional<std::unordered_map<SampleId, ImageId>> rendered_against;
};

/// Puts everything in the order that State promises. Call it once after filling.
void sort_state(State& state);
/// Index of a sample in state.set.
[[nodiscard]] std::optional<std::size_t> find_sample(const State& state, const SampleId& id);

/// One prompt to decide about.
struct Item {
  enum class Kind { select, discriminate };
  Kind kind = Kind::select;
  std::size_t sample = 0;                   ///< index in State::set
  std::vector<const Picture*> contestants;  ///< select: pictures that came
  std::size_t drawn = 0;                    ///< select: pictures that were asked for
  std::int64_t drawn_microusd = 0;          ///< select: what they cost
  const Picture* target = nullptr;          ///< discriminate
  const Picture* render = nullptr;          ///< discriminate
};

/// A waiting prompt without a picture to select.
struct Pictureless {
  std::size_t sample = 0;
  shard::Removal why = shard::Removal::none;  ///< refused or failed; none = it keeps waiting
  bool drawn = false;                         ///< some teacher was asked
  std::int64_t drawn_microusd = 0;
};

/// Whether new prompts may be asked for.
enum class Writing {
  free,      ///< whatever comes, the cap has room for it
  rationed,  ///< the cap may bind: all comparisons first, then as many as there is room for
  none       ///< the set is so full that no answer could make room
};

/// What there is to decide in a round. Points into the State it was made from.
struct Plan {
  std::vector<Item> items;  ///< by sample id
  std::vector<Pictureless> pictureless;
  vlm::KnownPrompts known;  ///< every prompt the set has or had, and the held-out ones
  /// Variations that the discriminated members have already, for wording the next question.
  std::unordered_map<SampleId, std::vector<std::string>> children;
  Writing writing = Writing::free;
  std::map<std::string, std::int64_t> tallies;
};

/// Prompts that keep waiting: no picture and not finally refused or failed, or fewer than
/// min_teachers pictures while others are open. Renders of prompts that are no longer members or
/// have another target now are passed over and counted.
[[nodiscard]] Plan make_plan(const State& state, const Rules& rules);

}  // namespace evd::judge
