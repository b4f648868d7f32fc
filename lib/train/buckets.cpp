#include "train/buckets.hpp"

namespace evd::train {

Cut cut_into_buckets(const nn::Layout& layout, std::size_t bucket_bytes) {
  Cut cut;
  const auto parameters = layout.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto end = i + 1 < parameters.size() ? parameters[i + 1].offset : layout.size();
    if (i == 0 || cut.buckets.back().size() * sizeof(float) >= bucket_bytes) {
      cut.buckets.push_back({parameters[i].offset, end});
      cut.count.push_back(0);
    }
    cut.buckets.back().end = end;
    cut.of.push_back(cut.buckets.size() - 1);
    ++cut.count.back();
  }
  return cut;
}

}  // namespace evd::train
