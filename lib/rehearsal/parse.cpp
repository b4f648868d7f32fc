#include <algorithm>
#include <cctype>
#include <initializer_list>
#include <vector>

#include "core/text.hpp"
#include "rehearsal/language.hpp"

namespace evd::rehearsal {
namespace {

constexpr std::size_t kLongestUnderstood = 32000;  // characters; the image API's own limit

bool any_of(std::string_view word, std::initializer_list<std::string_view> words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

template <NamedEnum E>
std::optional<E> named(std::string_view word) {
  for (std::size_t i = 0; i < EnumNames<E>::value.size(); ++i) {
    if (EnumNames<E>::value[i] == word) return static_cast<E>(i);
  }
  return std::nullopt;
}

std::optional<Colour> colour_word(std::string_view word) {
  if (word == "violet") return Colour::purple;
  if (word == "crimson" || word == "scarlet") return Colour::red;
  if (word == "golden") return Colour::yellow;
  return named<Colour>(word);
}

std::optional<Shape> shape_word(std::string_view word) {
  if (word.size() > 1 && word.back() == 's') word.remove_suffix(1);
  if (any_of(word, {"circle", "disc", "disk", "ball", "dot"})) return Shape::circle;
  if (any_of(word, {"square", "box", "boxe", "cube", "block"})) return Shape::square;
  if (any_of(word, {"triangle", "pyramid", "cone"})) return Shape::triangle;
  return std::nullopt;
}

std::optional<Pose> pose_word(std::string_view word) {
  if (any_of(word, {"still", "stands"})) return Pose::standing;
  if (any_of(word, {"waves", "greeting"})) return Pose::waving;
  if (any_of(word, {"cheers", "jumping", "celebrating"})) return Pose::cheering;
  return named<Pose>(word);
}

bool is_person(std::string_view word) {
  return any_of(word, {"person", "man", "woman", "boy", "girl", "child", "human", "somebody"});
}

bool is_garment(std::string_view word) {
  return any_of(word, {"shirt", "sweater", "dress", "coat", "jacket", "pullover", "top"});
}

bool drawable(std::string_view word) {
  return !word.empty() && word.size() <= kMaxWordLetters &&
         std::all_of(word.begin(), word.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

std::vector<std::string> words_of(std::string_view prompt) {
  std::vector<std::string> words(1);
  for (const char c : prompt) {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0) {
      words.back() += c;
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

enum class Relation : std::uint8_t { none, left_of, right_of, above, below };

// Reads words in order: adjectives wait for the noun that takes them, places and poses go to the
// last item, a relation stands between two items.
class Reader {
 public:
  explicit Reader(std::string_view prompt) : words_(words_of(prompt)) {}

  std::optional<Scene> read() {
    for (at_ = 0; at_ < words_.size(); ++at_) {
      word_ = lower_ascii(words_[at_]);
      if (!adjective() && !noun()) place_or_relation();
    }
    return arrange();
  }

 private:
  struct Found {
    Item item;
    bool has_colour = false;
    std::optional<Place> place;
  };

  [[nodiscard]] std::string_view next(std::size_t ahead = 1) const {
    return at_ + ahead < words_.size() ? std::string_view(words_[at_ + ahead]) : "";
  }
  [[nodiscard]] std::string_view previous() const {
    return at_ > 0 ? std::string_view(words_[at_ - 1]) : "";
  }

  bool adjective() {
    if (const auto colour = colour_word(word_)) {
      colour_ = colour;
    } else if (any_of(word_, {"small", "little", "tiny"})) {
      size_ = Size::small;
    } else if (any_of(word_, {"big", "large", "huge"})) {
      size_ = Size::big;
    } else if (any_of(word_, {"two", "2", "pair", "both"})) {
      count_ = 2;
    } else if (any_of(word_, {"three", "four", "five", "six", "many", "several"})) {
      outside_ = true;
    } else if (any_of(word_, {"a", "an", "one", "single"})) {
      if (word_ != "a" || next() != "pair") count_ = 1;
    } else {
      return false;
    }
    return true;
  }

  bool noun() {
    if (const auto shape = shape_word(word_)) {
      add_group(*shape);
    } else if (any_of(word_, {"word", "text", "name"}) && drawable(next())) {
      Item item;
      item.kind = Kind::lettering;
      item.word = next();
      found_.push_back({item});
      take_colour();  // "the red word CAT"
      ++at_;
    } else if (is_person(word_)) {
      Item item;
      item.kind = Kind::person;
      found_.push_back({item});
      colour_.reset();  // hair and the like is not the shirt
    } else if (any_of(word_, {"letters", "letter", "lettering", "writing"}) &&
               last_is(Kind::lettering)) {
      take_colour();
    } else if (is_garment(word_) && colour_ && last_is(Kind::person)) {
      take_colour();
    } else if (const auto pose = pose_word(word_); pose && last_is(Kind::person)) {
      found_.back().item.pose = *pose;
    } else {
      return false;
    }
    return true;
  }

  void add_group(Shape shape) {
    Item item;
    item.shape = shape;
    item.size = size_.value_or(Size::big);
    item.count = count_.value_or(1);
    found_.push_back({item});
    take_colour();
    size_.reset();
    count_.reset();
  }

  void place_or_relation() {
    if (any_of(word_, {"left", "right"})) {
      if (next() == "of") {
        relation_ = word_ == "left" ? Relation::left_of : Relation::right_of;
      } else {
        place(word_ == "left" ? Place::left : Place::right);
      }
    } else if (any_of(word_, {"above", "over"}) || (word_ == "top" && previous() == "on")) {
      relation_ = Relation::above;
    } else if (any_of(word_, {"below", "under", "beneath", "underneath"})) {
      relation_ = Relation::below;
    } else if (word_ == "top") {
      place(Place::top);
    } else if (word_ == "bottom") {
      place(Place::bottom);
    } else if (any_of(word_, {"middle", "center", "centre"})) {
      place(Place::middle);
    }
  }

  void place(Place where) {
    if (found_.empty()) {
      early_ = where;  // "on the left a red circle"
    } else {
      found_.back().place = where;
    }
  }

  [[nodiscard]] bool last_is(Kind kind) const {
    return !found_.empty() && found_.back().item.kind == kind;
  }

  void take_colour() {
    if (!colour_) return;
    found_.back().item.colour = *colour_;
    found_.back().has_colour = true;
    colour_.reset();
  }

  std::optional<Scene> arrange() {
    const bool coloured =
        std::all_of(found_.begin(), found_.end(), [](const Found& it) { return it.has_colour; });
    if (outside_ || found_.empty() || found_.size() > 2 || !coloured) return std::nullopt;
    if (early_ && !found_[0].place) found_[0].place = early_;
    if (found_.size() == 1) {
      found_[0].item.place = found_[0].place.value_or(Place::middle);
    } else {
      arrange_two();
    }
    Scene scene;
    for (Found& it : found_) scene.items.push_back(std::move(it.item));
    return is_valid(scene) ? std::optional(scene) : std::nullopt;
  }

  void arrange_two() {
    using enum Place;
    const Place first = found_[0].place.value_or(middle);
    const Place second = found_[1].place.value_or(middle);
    const bool lettering =
        found_[0].item.kind == Kind::lettering || found_[1].item.kind == Kind::lettering;
    bool vertical = relation_ == Relation::above || relation_ == Relation::below;
    bool swapped = relation_ == Relation::right_of || relation_ == Relation::below;
    if (relation_ == Relation::none) {
      vertical = lettering || any(first, second, {top, bottom});
      swapped = first == right || second == left || first == bottom || second == top;
    }
    if (swapped) std::swap(found_[0], found_[1]);
    found_[0].item.place = vertical ? top : left;
    found_[1].item.place = vertical ? bottom : right;
  }

  static bool any(Place first, Place second, std::initializer_list<Place> places) {
    return std::find(places.begin(), places.end(), first) != places.end() ||
           std::find(places.begin(), places.end(), second) != places.end();
  }

  std::vector<std::string> words_;
  std::size_t at_ = 0;
  std::string word_;
  std::optional<Colour> colour_;
  std::optional<Size> size_;
  std::optional<int> count_;
  Relation relation_ = Relation::none;
  std::optional<Place> early_;
  bool outside_ = false;
  std::vector<Found> found_;
};

}  // namespace

std::optional<Scene> parse_prompt(std::string_view prompt) {
  if (prompt.size() > kLongestUnderstood) return std::nullopt;
  return Reader(prompt).read();
}

}  // namespace evd::rehearsal
