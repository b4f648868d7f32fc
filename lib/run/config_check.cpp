#include <algorithm>
#include <set>

#include "core/error.hpp"
#include "core/text.hpp"
#include "run/config.hpp"

namespace evd::run {
namespace {

using teacher::ServiceOptions;
using teacher::Wire;

class Checker {
 public:
  explicit Checker(std::string_view where) : where_(where) {}

  void require(bool holds, const std::string& problem) const {
    if (!holds) throw ConfigurationError(where_ + ": " + problem);
  }

 private:
  std::string where_;
};

std::string number(double value) { return format("%g", value); }

void check_network(const Config& c, const Checker& check) {
  const auto& n = c.network;
  const auto divides = [&](int part, const char* part_key, int whole, const char* whole_key) {
    check.require(whole % part == 0, std::string("network.") + part_key + " = " +
                                         std::to_string(part) + " does not divide network." +
                                         whole_key + " = " + std::to_string(whole));
  };
  divides(n.patch, "patch", n.input_size, "input_size");
  divides(n.head_dim, "head_dim", n.width, "width");
  check.require(n.width % 4 == 0, "network.width = " + std::to_string(n.width) +
                                      " is no multiple of 4 (sine and cosine of two axes)");
  check.require(c.diffusion.beta_start < c.diffusion.beta_end,
                "diffusion.beta_start = " + number(c.diffusion.beta_start) +
                    " is not below diffusion.beta_end = " + number(c.diffusion.beta_end));
  check.require(c.evaluate.sampling.steps <= c.diffusion.timesteps,
                "evaluate.steps = " + std::to_string(c.evaluate.sampling.steps) +
                    " is above diffusion.timesteps = " + std::to_string(c.diffusion.timesteps));
}

bool is_digest(const std::string& text) {
  return text.empty() || (text.size() == 64 && std::all_of(text.begin(), text.end(), [](char d) {
                            return (d >= '0' && d <= '9') || (d >= 'a' && d <= 'f');
                          }));
}

void check_encoders(const Config& c, const Checker& check) {
  check.require(c.has_t5() || (c.text.folder.empty() && c.text.sha256.empty()),
                "text.folder is given, but network.text_encoder = \"hashed_words\" (say t5, or "
                "leave the folder out)");
  check.require(c.has_t5() || !(c.text.prompts.clean || c.text.prompts.size_suffixes),
                "text.clean and text.size_suffixes are for T5, but network.text_encoder = "
                "\"hashed_words\"");
  check.require(c.vae.sha256.empty() || !c.vae.folder.empty(),
                "vae.sha256 is given without vae.folder");
  check.require(is_digest(c.text.sha256), "text.sha256 is not 64 lower-case hex characters");
  check.require(is_digest(c.vae.sha256), "vae.sha256 is not 64 lower-case hex characters");
  check.require(c.vae.tile % (4 * c.vae.stride) == 0,
                "vae.tile = " + std::to_string(c.vae.tile) +
                    " is no multiple of 4 vae.stride = " + std::to_string(4 * c.vae.stride));
}

void check_training(const Config& c, const Checker& check) {
  const auto below_one = [&](double value, const char* key) {
    check.require(value < 1, std::string("train.") + key + " = " + number(value) +
                                 " must be below 1: the average would never move");
  };
  below_one(c.train.beta1, "beta1");
  below_one(c.train.beta2, "beta2");
  below_one(c.train.ema, "ema");
  try {
    static_cast<void>(c.train.more_decays());
  } catch (const ConfigurationError& error) {
    check.require(false, error.what());
  }
  check.require(c.base.init != BaseInit::file || !c.base.file.empty(),
                "base.init = \"file\" needs base.file (a safetensors file)");
  check.require(is_digest(c.base.sha256),
                "base.sha256 is not 64 lower-case hex characters (what sha256sum prints)");
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 40 && text.front() != '-' &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-';
         });
}

bool is_variable(std::string_view text) {
  return !text.empty() && !(text.front() >= '0' && text.front() <= '9') &&
         std::all_of(text.begin(), text.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_';
         });
}

void check_service(const Config& c, const ServiceOptions& s, Wire wire, const Checker& check) {
  const std::string who = (wire == Wire::openai_chat ? "vlm" : "teacher." + s.name) + ".";
  check.require(s.wire == wire, who + "wire = \"" + std::string(name(s.wire)) + "\" is not \"" +
                                    std::string(name(wire)) + "\", which it must speak");
  const bool url = s.base_url.starts_with("http://") || s.base_url.starts_with("https://");
  check.require(s.base_url.empty() || s.base_url == "rehearsal" || url,
                who + "base_url is neither an http(s) URL nor \"rehearsal\"");
  check.require(s.base_url != "rehearsal" || c.rehearsal.enabled,
                who + "base_url = \"rehearsal\" needs rehearsal.enabled = true");
  check.require(s.base_url.find_first_of("?#") == std::string::npos,
                who + "base_url holds a query: keys belong into key_env or key_file");
  check.require(s.base_url.find('@') == std::string::npos,
                who + "base_url holds a user name or password: use key_env or key_file");
  // The value is not repeated: it may be the key itself.
  check.require(s.key_env.empty() || is_variable(s.key_env),
                who + "key_env is no name of an environment variable (a key never stands here)");
  check.require(s.key_env.empty() || s.key_file.empty(),
                who + "key_env and " + who + "key_file are both given: keep one");
  check.require(s.min_side <= s.max_side, who + "min_side is above " + who + "max_side");
}

void check_teachers(const Config& c, const Checker& check) {
  std::set<std::string> names = {c.vlm.name};
  check.require(is_name(c.vlm.name), "vlm.name = \"" + c.vlm.name +
                                         "\" is no name (letters, digits, - and _, at most 40)");
  for (const auto& s : c.teachers) {
    check.require(is_name(s.name), "teacher name \"" + s.name +
                                       "\" is no name (letters, digits, - and _, at most 40)");
    check.require(s.name != "base" && s.name != "imported",
                  "teacher name \"" + s.name +
                      "\" is taken: base is the model that is trained, "
                      "imported are images of your own");
    check.require(names.insert(s.name).second,
                  "the name \"" + s.name + "\" is given to two services");
    check_service(c, s, Wire::openai_images, check);
    const auto inside = [&](int side, const char* key) {
      check.require(side >= s.min_side && side <= s.max_side,
                    std::string("set.") + key + " = " + std::to_string(side) + " px, but teacher " +
                        s.name + " draws " + std::to_string(s.min_side) + " .. " +
                        std::to_string(s.max_side) + " px (min_side, max_side)");
    };
    inside(c.set.width, "width");
    inside(c.set.height, "height");
  }
  check_service(c, c.vlm, Wire::openai_chat, check);
  check.require(c.teachers.empty() || c.harvest.min_teachers <= static_cast<int>(c.teachers.size()),
                "harvest.min_teachers = " + std::to_string(c.harvest.min_teachers) +
                    ", but there are " + std::to_string(c.teachers.size()) + " teachers");
}

}  // namespace

void check_config(const Config& config, std::string_view where) {
  const Checker check(where);
  check_network(config, check);
  check_encoders(config, check);
  check_training(config, check);
  check_teachers(config, check);
}

void require_services(const Config& config) {
  const Checker check("configuration");
  check.require(!config.teachers.empty(),
                "there is no teacher (add a [[teacher]] table, or bring images by `evd import`)");
  for (const auto& s : config.teachers)
    check.require(!s.base_url.empty(), "teacher." + s.name + ".base_url is missing");
  check.require(!config.vlm.base_url.empty(),
                "vlm.base_url is missing: the judge has nobody to ask");
  const auto named = [&](const ServiceOptions& s, const std::string& who) {
    check.require(!s.model.empty() || s.base_url == "rehearsal", who + ".model is missing");
  };
  for (const auto& s : config.teachers) named(s, "teacher." + s.name);
  named(config.vlm, "vlm");
}

}  // namespace evd::run
