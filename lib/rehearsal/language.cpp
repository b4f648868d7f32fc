#include "rehearsal/language.hpp"

#include <numeric>
#include <vector>

#include "core/error.hpp"

namespace evd::rehearsal {
namespace {

// None of these words may mean something to the parser.
constexpr std::array<std::string_view, 16> kTails = {
    "on plain light paper",
    "drawn flat with clean edges",
    "in bold and simple forms",
    "with nothing else around",
    "seen straight from the front",
    "as in a picture book for young readers",
    "with soft even light and no clutter anywhere",
    "in full strong colours without any fading",
    "painted by hand with a broad steady brush",
    "made for a poster that hangs in a quiet hall",
    "where every outline is easy to make out",
    "with wide empty margins and a calm mood",
    "printed on thick smooth card with great care",
    "neat and cheerful and pleasant to look at",
    "shown without frame or shadow or pattern",
    "in a clear modern manner that leaves no doubt",
};

std::string group_phrase(const Item& item, Style style, Random& random) {
  const bool rough = style == Style::rough;
  std::string text = item.count == 2 ? "two " : rough ? "" : "a ";
  if (item.size == Size::small) {
    text += "small ";
  } else if (!rough && random.uniform() < 0.25) {
    text += "big ";
  }
  text += std::string(name(item.colour)) + " " + std::string(name(item.shape));
  return item.count == 2 ? text + "s" : text;
}

std::string item_phrase(const Item& item, Style style, Random& random) {
  const std::string colour(name(item.colour));
  const bool rough = style == Style::rough;
  switch (item.kind) {
    case Kind::group:
      return group_phrase(item, style, random);
    case Kind::lettering:
      return rough ? "word " + item.word + " " + colour + " letters"
                   : "the word " + item.word + " in " + colour + " letters";
    case Kind::person:
      return (rough ? "person " + colour + " shirt " : "a person in a " + colour + " shirt ") +
             std::string(name(item.pose));
  }
  throw InternalError("an item of no kind");
}

std::string place_phrase(Place place, Style style) {
  const bool rough = style == Style::rough;
  switch (place) {
    case Place::middle:
      return rough ? " middle" : " in the middle";
    case Place::left:
      return rough ? " left" : " on the left";
    case Place::right:
      return rough ? " right" : " on the right";
    case Place::top:
      return rough ? " top" : " at the top";
    case Place::bottom:
      return rough ? " bottom" : " at the bottom";
  }
  throw InternalError("a place that is none");
}

std::string core_phrase(const Scene& scene, Style style, Random& random) {
  const Item& first = scene.items.at(0);
  if (scene.items.size() == 1)
    return item_phrase(first, style, random) + place_phrase(first.place, style);
  const bool horizontal = first.place == Place::left;
  const std::string a = item_phrase(first, style, random);
  const std::string b = item_phrase(scene.items[1], style, random);
  if (random.uniform() < 0.5) return a + (horizontal ? " left of " : " above ") + b;
  return b + (horizontal ? " right of " : " below ") + a;
}

std::size_t word_count(std::string_view text) {
  std::size_t count = text.empty() ? 0 : 1;
  for (const char c : text) count += c == ' ';
  return count;
}

// Appends tails until more than `words` words stand there.
std::string lengthen(std::string text, std::size_t words, Random& random) {
  std::array<std::size_t, kTails.size()> order{};
  std::iota(order.begin(), order.end(), std::size_t{0});
  for (std::size_t i = order.size(); i > 1; --i) std::swap(order[i - 1], order[random.below(i)]);
  for (const std::size_t tail : order) {
    if (word_count(text) > words) break;
    text += " " + std::string(kTails[tail]);
  }
  return text;
}

}  // namespace

std::string prompt_of(const Scene& scene, Style style, Random& random) {
  if (!is_valid(scene)) throw InternalError("a prompt was wanted for an impossible scene");
  std::string text = core_phrase(scene, style, random);
  switch (style) {
    case Style::plain:
    case Style::rough:
      return text;
    case Style::dense:
      // One or two tails: the longest of both still leave it below 30 words.
      return lengthen(text, word_count(text) + random.below(5), random);
    case Style::mixed:
      return lengthen(text, 30, random);
    case Style::expansive:
      return lengthen(text, 50, random);
  }
  throw InternalError("a style that is none");
}

}  // namespace evd::rehearsal
