#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/hash.hpp"
#include "rehearsal/opinion.hpp"
#include "rehearsal/trouble.hpp"

namespace evd::rehearsal {

/// Everything that an answer depends on, beside the request.
struct World {
  struct Price {
    std::string service;  ///< name in the ledger
    std::int64_t microusd = 0;
  };
  std::uint64_t seed = 1;
  TroubleRates troubles;
  Temper temper;
  double malformed_rate = 0;
  std::map<std::string, Price> prices;  ///< by model; others cost nothing under their model's name

  [[nodiscard]] Price price(const std::string& model) const;
};

/// The model that judges; the others are the teachers' names.
inline constexpr std::string_view kJudgeModel = "judge";

struct Answer {
  int status = 200;
  std::string body;
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string service;        ///< who charges; empty = nobody
  std::int64_t microusd = 0;  ///< for all of it
  int answers = 0;            ///< pictures or replies that are charged
};

/// {"error": {message, type, param, code}}, as OpenAI's API answers.
[[nodiscard]] Answer error_answer(int status, std::string_view message, std::string_view type,
                                  std::string_view code);
/// What an attempt in trouble gets instead of an answer; not for Trouble::none and ::cut.
[[nodiscard]] Answer trouble_answer(Trouble trouble);

/// POST /images/generations.
[[nodiscard]] Answer answer_images(const World& world, std::string_view body, const Dice& dice);
/// POST /chat/completions.
[[nodiscard]] Answer answer_chat(const World& world, std::string_view body, const Dice& dice);
/// GET /models.
[[nodiscard]] Answer answer_models();

}  // namespace evd::rehearsal
