#include "train/guard.hpp"

#include <cmath>
#include <vector>

#include "core/error.hpp"
#include "core/text.hpp"

namespace evd::train {

bool Guard::leaves_out(double loss, double gradient_norm, std::int64_t step) {
  if (std::isfinite(loss) && std::isfinite(gradient_norm)) {
    in_row_ = 0;
    return false;
  }
  if (++in_row_ > max_) {
    throw DataError(
        format("loss or gradient was not finite in %lld steps in a row, up to step %lld "
               "(train.lr or the weights it started from are the usual reasons); the "
               "last good weights are kept",
               static_cast<long long>(in_row_), static_cast<long long>(step)));
  }
  return true;
}

void name_culprits(const Part& part, std::span<const float> losses, std::int64_t step,
                   const Log& log) {
  constexpr std::size_t kNamed = 4;
  std::vector<std::string> named;
  std::size_t count = 0;
  for (std::size_t i = 0; i < losses.size(); ++i) {
    if (std::isfinite(losses[i])) continue;
    if (++count <= kNamed) named.push_back(part.ids[i].hex());
  }
  if (count == 0) return;
  if (count > kNamed) named.push_back("and " + std::to_string(count - kNamed) + " more");
  log.warning("step " + std::to_string(step) + ": loss is not finite for sample " +
              join(named, ", "));
}

}  // namespace evd::train
