#pragma once

#include <cstdint>
#include <string_view>

#include "core/hash.hpp"
#include "core/random.hpp"

namespace evd::rehearsal {

/// What can go wrong on the way, as shares of attempts.
struct TroubleRates {
  double fail = 0;      ///< HTTP 500 or 503
  double throttle = 0;  ///< HTTP 429 with Retry-After
  double nonsense = 0;  ///< an HTML page with status 200
  double truncate = 0;  ///< charged, and cut off half way
  double refuse = 0;    ///< share of prompts (not attempts) that a teacher refuses
  double latency_ms = 0;
};
enum class Trouble : std::uint8_t { none, internal_error, unavailable, throttled, nonsense, cut };

/// How a VLM's answer is spoilt. A share of answers is; each way is equally likely.
enum class Spoilt : std::uint8_t { no, fenced, prose, cut, undecided };

/// Random numbers of one request: a function of the server's seed, the bytes of the request and the
/// number of the attempt with these bytes, whatever came before or meanwhile. What is drawn or
/// thought does not depend on the attempt, only what goes wrong does: a request that is repeated
/// because its answer was lost gets the same picture.
class Dice {
 public:
  Dice(std::uint64_t seed, const Sha256& request, std::uint64_t attempt)
      : seed_(seed), request_(request.low64()), attempt_(attempt) {}

  [[nodiscard]] Random picture(std::uint64_t index = 0) const { return draw(16 + index); }
  [[nodiscard]] Random thought() const { return draw(0); }
  [[nodiscard]] Trouble trouble(const TroubleRates& rates) const;
  [[nodiscard]] Spoilt spoilt(double rate) const;
  /// Between half and one and a half times the mean.
  [[nodiscard]] double delay_ms(double mean_ms) const;

 private:
  [[nodiscard]] Random draw(std::uint64_t use) const {
    return {seed_, Purpose::rehearsal, request_, use};
  }
  // Uses 0 to 15 and images above leave the upper half of the counter to attempts.
  [[nodiscard]] Random draw_of_attempt(std::uint64_t use) const {
    return draw((attempt_ + 1) << 32U | use);
  }
  std::uint64_t seed_;
  std::uint64_t request_;
  std::uint64_t attempt_;
};

/// Whether this teacher never draws this prompt.
[[nodiscard]] bool refused(double rate, std::uint64_t seed, std::string_view teacher,
                           std::string_view prompt);

}  // namespace evd::rehearsal
