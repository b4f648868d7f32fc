#include "rehearsal/trouble.hpp"

namespace evd::rehearsal {

Trouble Dice::trouble(const TroubleRates& rates) const {
  Random random = draw_of_attempt(1);
  double drawn = random.uniform();
  if ((drawn -= rates.fail) < 0)
    return random.uniform() < 0.5 ? Trouble::internal_error : Trouble::unavailable;
  if ((drawn -= rates.throttle) < 0) return Trouble::throttled;
  if ((drawn -= rates.nonsense) < 0) return Trouble::nonsense;
  if ((drawn -= rates.truncate) < 0) return Trouble::cut;
  return Trouble::none;
}

Spoilt Dice::spoilt(double rate) const {
  Random random = draw_of_attempt(2);
  if (random.uniform() >= rate) return Spoilt::no;
  return static_cast<Spoilt>(1 + random.below(4));
}

double Dice::delay_ms(double mean_ms) const {
  Random random = draw_of_attempt(3);
  return mean_ms * (0.5 + random.uniform());
}

bool refused(double rate, std::uint64_t seed, std::string_view teacher, std::string_view prompt) {
  Sha256Stream key;
  const auto id = key.field(teacher).field(prompt).finish().low64();
  Random random(seed, Purpose::rehearsal, id, 4);
  return random.uniform() < rate;
}

}  // namespace evd::rehearsal
