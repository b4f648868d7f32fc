#pragma once

#include <cstdint>
#include <deque>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "core/hash.hpp"

namespace evd::nn {

/// What a pickle describes. Nothing of it is ever run: a global stays a name, a call stays the pair
/// of what would be called and its arguments.
struct PickleNode {
  struct None {};
  /// A dictionary, in its order.
  struct Dict {
    std::vector<std::pair<const PickleNode*, const PickleNode*>> items;
  };
  /// A list or a tuple.
  struct Sequence {
    std::vector<const PickleNode*> items;
  };
  /// "module name", as `collections OrderedDict`.
  struct Global {
    std::string name;
  };
  /// `function(arguments...)`, not called.
  struct Call {
    const PickleNode* function = nullptr;
    const PickleNode* arguments = nullptr;
  };
  /// What the pickle refers to by an id of the program that wrote it.
  struct Persistent {
    const PickleNode* id = nullptr;
  };

  std::variant<None, bool, std::int64_t, double, std::string, Dict, Sequence, Global, Call,
               Persistent>
      value;

  template <class T>
  [[nodiscard]] const T* as() const {
    return std::get_if<T>(&value);
  }
};

/// A parsed pickle; nodes live as long as it does and may refer to each other in circles.
class Pickle {
 public:
  /// Protocols 2 to 5, the operations that dictionaries, sequences, numbers, texts and tensors
  /// need. A global that `is_allowed` refuses is a DataError that names it, whatever the pickle
  /// would do with it. DataError with `where` too for what is damaged.
  Pickle(Bytes bytes, const std::string& where, bool (*is_allowed)(const std::string& global));

  [[nodiscard]] const PickleNode& root() const { return *root_; }

 private:
  std::deque<PickleNode> nodes_;
  const PickleNode* root_ = nullptr;
};

}  // namespace evd::nn
