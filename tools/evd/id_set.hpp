#pragma once

#include <vector>

#include "core/id.hpp"

namespace evd::hands {

/// A set of sample ids that keeps 10^7 of them in 270 to 540 MB: open addressing, no node each.
class IdSet {
 public:
  IdSet() : slots_(1 << 10) {}

  /// False when it was in already. The all-zero id cannot be kept.
  bool insert(const SampleId& id) {
    if (2 * (size_ + 1) > slots_.size()) grow();
    SampleId& slot = slots_[place(slots_, id)];
    if (slot == id) return false;
    slot = id;
    ++size_;
    return true;
  }
  [[nodiscard]] bool contains(const SampleId& id) const { return slots_[place(slots_, id)] == id; }
  [[nodiscard]] std::size_t size() const { return size_; }
  template <class Visit>
  void each(Visit visit) const {
    for (const auto& slot : slots_)
      if (!slot.is_none()) visit(slot);
  }

 private:
  // Where the id is, or would be put.
  static std::size_t place(const std::vector<SampleId>& slots, const SampleId& id) {
    std::size_t at = id.low64() & (slots.size() - 1);
    while (!slots[at].is_none() && slots[at] != id) at = (at + 1) & (slots.size() - 1);
    return at;
  }
  void grow() {
    std::vector<SampleId> larger(2 * slots_.size());
    each([&](const SampleId& id) { larger[place(larger, id)] = id; });
    slots_ = std::move(larger);
  }
  std::vector<SampleId> slots_;
  std::size_t size_ = 0;
};

}  // namespace evd::hands
