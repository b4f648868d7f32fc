#include "train/buckets.hpp"

namespace evd::train {

Cut cut_into_buckets(const nn::Layout& layout, std::size_t bucket_bytes) {
  Cut cut;
  cut.size = layout.size() + Cut::kScalars;
  cut.buckets.push_back({layout.size(), cut.size});
  cut.count.push_back(0);
  const auto parameters = layout.parameters();
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const auto end = i + 1 < parameters.size() ? parameters[i + 1].offset : layout.size();
    const bool is_full =
        (cut.buckets.back().end - cut.buckets.back().begin) * sizeof(float) >= bucket_bytes;
    if (i == 0 || is_full) {
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
