#include "shard/category.hpp"

#include <algorithm>
#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <unordered_set>
#include <vector>

namespace evd::shard {
namespace {

using Words = std::vector<std::string>;

// Words to look others up in. Nearly all that are looked up are not in it, which their first letter
// and length tell most times.
class List {
 public:
  List(std::initializer_list<std::string_view> words) : words_(words) {
    for (const auto word : words) lengths_[letter(word)] |= length_bit(word);
  }
  [[nodiscard]] bool contains(std::string_view word) const {
    return !word.empty() && (lengths_[letter(word)] & length_bit(word)) != 0 &&
           words_.contains(word);
  }

 private:
  static std::size_t letter(std::string_view word) { return static_cast<unsigned char>(word[0]); }
  static std::uint32_t length_bit(std::string_view word) {
    return std::uint32_t{1} << std::min<std::size_t>(word.size(), 31);
  }
  std::unordered_set<std::string_view> words_;
  std::array<std::uint32_t, 256> lengths_{};
};

const List kPeople = {"actor",        "actors",
                      "actress",      "adult",
                      "adults",       "archer",
                      "architect",    "artist",
                      "artists",      "astronaut",
                      "astronauts",   "athlete",
                      "athletes",     "aunt",
                      "babies",       "baby",
                      "ballerina",    "ballerinas",
                      "bartender",    "boxer",
                      "boy",          "boys",
                      "bride",        "brother",
                      "brothers",     "businesspeople",
                      "captain",      "cellist",
                      "chef",         "chefs",
                      "child",        "children",
                      "climber",      "climbers",
                      "clown",        "clowns",
                      "commuter",     "commuters",
                      "cook",         "couple",
                      "couples",      "cowboy",
                      "cowboys",      "cowgirl",
                      "crowd",        "crowds",
                      "customer",     "customers",
                      "cyclist",      "cyclists",
                      "dad",          "dancer",
                      "dancers",      "daughter",
                      "dentist",      "detective",
                      "doctor",       "doctors",
                      "drummer",      "emperor",
                      "empress",      "engineer",
                      "engineers",    "explorer",
                      "family",       "families",
                      "farmer",       "farmers",
                      "father",       "firefighter",
                      "firefighters", "friends",
                      "gardener",     "geisha",
                      "gentleman",    "gentlemen",
                      "girl",         "girls",
                      "gladiator",    "grandfather",
                      "grandma",      "grandmother",
                      "grandpa",      "groom",
                      "guitarist",    "guy",
                      "guys",         "hiker",
                      "hikers",       "human",
                      "humans",       "husband",
                      "jockey",       "judge",
                      "juggler",      "kid",
                      "kids",         "king",
                      "kings",        "knight",
                      "knights",      "ladies",
                      "lady",         "lawyer",
                      "librarian",    "lumberjack",
                      "magician",     "maid",
                      "man",          "mechanic",
                      "men",          "merchant",
                      "miner",        "monk",
                      "monks",        "mother",
                      "mum",          "musician",
                      "musicians",    "ninja",
                      "nun",          "nurse",
                      "nurses",       "officer",
                      "officers",     "painter",
                      "passenger",    "passengers",
                      "pedestrian",   "pedestrians",
                      "people",       "person",
                      "persons",      "photographer",
                      "pianist",      "pilot",
                      "pilots",       "pirate",
                      "pirates",      "player",
                      "players",      "plumber",
                      "priest",       "prince",
                      "princess",     "professor",
                      "queen",        "rider",
                      "riders",       "runner",
                      "runners",      "sailor",
                      "sailors",      "samurai",
                      "santa",        "scientist",
                      "scientists",   "selfie",
                      "shaman",       "shepherd",
                      "singer",       "singers",
                      "sister",       "sisters",
                      "skateboarder", "skater",
                      "skier",        "skiers",
                      "snowboarder",  "soldier",
                      "soldiers",     "son",
                      "spectators",   "student",
                      "students",     "surfer",
                      "surfers",      "swimmer",
                      "tailor",       "teacher",
                      "teachers",     "teenager",
                      "teenagers",    "toddler",
                      "tourist",      "tourists",
                      "traveler",     "traveller",
                      "twins",        "villager",
                      "villagers",    "violinist",
                      "waiter",       "waitress",
                      "warrior",      "warriors",
                      "wife",         "witch",
                      "wizard",       "woman",
                      "women",        "worker",
                      "workers",      "writer"};

// They end like "man" or "men" and are not.
const List kNoPeople = {"abdomen", "acumen",   "amen",  "bitumen", "caiman",  "gingerbreadman",
                        "german",  "hymen",    "lumen", "norman",  "omen",    "ottoman",
                        "ramen",   "regimen",  "roman", "snowman", "snowmen", "specimen",
                        "stamen",  "talisman", "yemen", "women's", "pacman",  "walkman"};

// Words for several that say nothing of what they are several of.
const List kGatherings = {"couple", "crowd", "crowds", "families", "family", "couples"};

const List kAnimals = {
    "alligator", "ant",     "animal",   "bear",   "bee",    "bird",      "bull",     "butterfly",
    "camel",     "cat",     "chicken",  "cow",    "crab",   "crocodile", "deer",     "dinosaur",
    "dog",       "dolphin", "donkey",   "dragon", "duck",   "eagle",     "elephant", "fish",
    "fox",       "frog",    "giraffe",  "goat",   "goose",  "gorilla",   "hamster",  "hedgehog",
    "hippo",     "horse",   "kangaroo", "kitten", "koala",  "lamb",      "leopard",  "lion",
    "llama",     "lobster", "monkey",   "moose",  "mouse",  "octopus",   "otter",    "owl",
    "panda",     "parrot",  "penguin",  "pig",    "polar",  "pony",      "puppy",    "rabbit",
    "raccoon",   "rat",     "rhino",    "seal",   "shark",  "sheep",     "sloth",    "snake",
    "squirrel",  "swan",    "tiger",    "toad",   "turtle", "unicorn",   "whale",    "wolf",
    "yoda",      "zebra"};

const List kNumbers = {"two",  "three",    "four",    "five",     "six",       "seven",  "eight",
                       "nine", "ten",      "eleven",  "twelve",   "dozen",     "dozens", "several",
                       "many", "multiple", "various", "hundreds", "thousands", "twenty", "hundred"};
// Behind a number they make no count of objects.
const List kNoCount = {
    "eyes",      "legs",    "arms",   "ears",    "wings",   "wheels",      "heads",   "doors",
    "windows",   "stripes", "story",  "stories", "storey",  "storeys",     "tone",    "toned",
    "d",         "color",   "colors", "colour",  "colours", "dimensional", "quarter", "quarters",
    "pm",        "am",      "mm",     "cm",      "years",   "year",        "o'clock", "percent",
    "megapixel", "point",   "piece",  "way",     "fps",     "hours",       "minutes", "days",
    "times",     "feet",    "meters", "times"};
const List kGroups = {"pair",    "pairs", "couple", "group",      "groups",     "bunch",
                      "row",     "rows",  "stack",  "pile",       "collection", "set",
                      "flock",   "herd",  "pack",   "swarm",      "family",     "array",
                      "variety", "crowd", "school", "assortment", "bouquet"};
const List kSeveral = {"crowd", "couple", "people", "twins", "triplets", "both"};

const List kDeterminers = {"a",    "an",  "the", "one", "another",
                           "some", "his", "her", "its", "their"};
const List kBackground = {"background", "sky",    "smile",  "style",    "mood",
                          "atmosphere", "scene",  "light",  "lighting", "sun",
                          "moon",       "sunset", "ground", "horizon",  "rest",
                          "reflection", "shadow", "other",  "sea",      "ocean"};

const List kTextWords = {"text",        "texts",       "letters",     "lettering", "caption",
                         "captions",    "captioned",   "inscription", "inscribed", "typography",
                         "handwriting", "handwritten", "headline",    "slogan",    "says",
                         "saying",      "written",     "word",        "words",     "labeled",
                         "labelled",    "titled",      "alphabet",    "spelled",   "spelling",
                         "spells",      "calligraphy", "subtitle",    "subtitles", "monogram"};
const List kTextBearers = {"sign",    "signs",  "banner",  "poster",     "label",      "card",
                           "board",   "neon",   "shirt",   "t-shirt",    "billboard",  "note",
                           "plaque",  "tag",    "sticker", "screen",     "logo",       "that",
                           "which",   "letter", "message", "blackboard", "whiteboard", "chalkboard",
                           "placard", "cover"};

bool is_letter(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || static_cast<unsigned char>(c) >= 0x80;
}
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Lower-case words; marks that end a clause stand as words of their own.
Words words_of(std::string_view prompt) {
  Words words;
  std::string word;
  const auto finish = [&] {
    if (word.ends_with("'s")) word.resize(word.size() - 2);
    while (word.ends_with('\'')) word.pop_back();
    if (!word.empty()) words.push_back(word);
    word.clear();
  };
  for (const char c : prompt) {
    if (is_letter(c) || is_digit(c) || (c == '\'' && !word.empty())) {
      word += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      continue;
    }
    finish();
    if (c == ',' || c == '.' || c == ';' || c == ':') words.emplace_back(1, c);
  }
  finish();
  return words;
}

bool in(const List& list, std::string_view word) { return list.contains(word); }

std::string singular(const std::string& word) {
  if (word.size() > 3 && word.ends_with("ies")) return word.substr(0, word.size() - 3) + "y";
  if (word.size() > 3 && word.ends_with("es") && in(kAnimals, word.substr(0, word.size() - 2)))
    return word.substr(0, word.size() - 2);
  if (word.size() > 2 && word.ends_with('s')) return word.substr(0, word.size() - 1);
  return word;
}

bool is_animal(const std::string& word) {
  return in(kAnimals, word) || in(kAnimals, singular(word));
}

bool is_plural(const std::string& word) {
  static const List kIrregular = {"men", "women", "children", "people", "mice", "geese", "feet"};
  return in(kIrregular, word) || (word.size() > 3 && word.ends_with('s') && !word.ends_with("ss") &&
                                  !word.ends_with("us") && !word.ends_with("is"));
}

// A word and its neighbours; "" beyond the ends.
class At {
 public:
  At(const Words& words, std::size_t place) : words_(words), place_(place) {}
  [[nodiscard]] const std::string& operator[](std::ptrdiff_t step) const {
    static const std::string kNone;
    const auto at = static_cast<std::ptrdiff_t>(place_) + step;
    return at < 0 || at >= static_cast<std::ptrdiff_t>(words_.size())
               ? kNone
               : words_[static_cast<std::size_t>(at)];
  }

 private:
  const Words& words_;
  std::size_t place_;
};

bool names_person(const At& at) {
  static const List kWorn = {"suit", "suits", "costume", "costumes", "outfit", "uniform",
                             "hat",  "hats",  "helmet",  "clothes",  "doll",   "statue"};
  const std::string& word = at[0];
  if (in(kWorn, at[1])) return false;
  if (word == "shepherd" && at[-1] == "german") return false;
  if (in(kGatherings, word) && is_animal(at[-1])) return false;
  if (word == "man" && (at[1] == "made" || at[1] == "hole")) return false;
  if (in(kGatherings, word) && at[1] == "of") return false;
  if ((word == "baby" || word == "king" || word == "queen" || word == "mother" ||
       word == "father" || word == "emperor" || word == "family") &&
      (is_animal(at[1]) || at[1] == "size" || at[1] == "sized" || at[1] == "room"))
    return false;
  if (in(kPeople, word)) return true;
  const bool ends_so = word.size() > 5 && (word.ends_with("man") || word.ends_with("men"));
  return ends_so && !in(kNoPeople, word);
}

bool asks_for_text(const At& at) {
  const std::string& word = at[0];
  if (in(kTextWords, word)) return true;
  if (word == "letter") return at[1].size() == 1 && at[1] != "," && at[1] != ".";
  if (word == "number" || word == "digit" || word == "numbers" || word == "digits")
    return (!at[1].empty() && is_digit(at[1][0])) || in(kNumbers, at[1]) || at[1] == "one";
  if (word == "reads" || word == "reading")
    return in(kTextBearers, at[-1]) && !(word == "reading" && at[-1] == "that");
  return word == "sign" && at[-1] == "stop";
}

bool has_quotation(std::string_view prompt) {
  const auto quoted = [&](std::string_view open, std::string_view close) {
    const auto begin = prompt.find(open);
    return begin != std::string_view::npos &&
           prompt.find(close, begin + open.size() + 1) != std::string_view::npos;
  };
  if (quoted("\"", "\"") || quoted("\u201c", "\u201d") || quoted("\u00ab", "\u00bb")) return true;
  // A single quote opens after a space and closes before one: "dogs' toys" and "it's" do neither.
  const auto open = prompt.find(" '");
  if (open == std::string_view::npos) return false;
  for (auto close = prompt.find('\'', open + 3); close != std::string_view::npos;
       close = prompt.find('\'', close + 1))
    if (close + 1 == prompt.size() || !is_letter(prompt[close + 1])) return true;
  return false;
}

bool is_count(const std::string& word) {
  if (in(kNumbers, word)) return true;
  return word.size() <= 2 && std::all_of(word.begin(), word.end(), is_digit) && !word.empty() &&
         word != "0" && word != "1";
}

bool is_determined(const At& at, std::ptrdiff_t step) {
  return in(kDeterminers, at[step]) || is_count(at[step]);
}

// What somebody wears is no thing of its own.
bool is_worn(const At& at) {
  for (std::ptrdiff_t step = -1; step >= -8; --step)
    if (at[step] == "wearing" || at[step] == "dressed") return true;
  return false;
}

bool joins_things(const At& at) {
  if (at[0] != "and" || is_worn(at)) return false;
  if (is_determined(at, 1)) return !in(kBackground, at[2]);
  return (is_plural(at[-1]) && is_plural(at[1])) || (is_animal(at[-1]) && is_animal(at[1]));
}

bool relates_things(const At& at) {
  static const List kVerbs = {"biting",    "chasing", "facing", "fighting",
                              "following", "hugging", "kissing"};
  const std::string& word = at[0];
  if (in(kVerbs, word)) return is_determined(at, 1);
  if ((word == "with" && at[-1] == "playing") || (word == "over" && at[-1] == "jumping"))
    return is_determined(at, 1);
  if ((word == "left" || word == "right" || word == "top") && at[1] == "of")
    return is_determined(at, 2);
  if (word == "next" && at[1] == "to") return is_determined(at, 2);
  if (word == "beside" || word == "between" || word == "beneath") return is_determined(at, 1);
  const bool is_looser = word == "behind" || word == "above" || word == "below" ||
                         word == "under" || (word == "of" && at[-1] == "front");
  return is_looser && (at[1] == "a" || at[1] == "an" || is_count(at[1]));
}

bool asks_for_several(const At& at) {
  const std::string& word = at[0];
  if (in(kSeveral, word) && at[1] != "of") return true;
  if (word == "family" && is_animal(at[-1])) return true;
  // Mass and plural look alike in "fish"; a material ("made of bees") is one thing.
  if (in(kAnimals, singular(word)) && !in(kAnimals, word)) return at[-1] != "of" && at[-1] != "no";
  if (in(kGroups, word) && at[1] == "of") return true;
  if (is_count(word)) {
    const bool is_label = at[-1] == "number" || at[-1] == "digit" || at[-1] == "letter";
    return !is_label && !at[1].empty() && is_letter(at[1][0]) && !in(kNoCount, at[1]);
  }
  return joins_things(at) || relates_things(at);
}

}  // namespace

Categories categorize(std::string_view canonical_prompt) {
  const Words words = words_of(canonical_prompt);
  Categories found;
  found.text = has_quotation(canonical_prompt);
  for (std::size_t i = 0; i < words.size(); ++i) {
    const At at(words, i);
    found.human = found.human || names_person(at);
    found.text = found.text || asks_for_text(at);
    found.multi = found.multi || asks_for_several(at);
  }
  return found;
}

}  // namespace evd::shard
